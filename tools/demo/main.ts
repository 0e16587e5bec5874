/**
 * `npm run demo`: a simulated shop falls ill three times, and Aegis heals it. Exits 0 only if each fault was healed by
 * the right action and nothing was done to the five healthy workloads.
 *
 *   npm run demo -- --keep    leaves everything running, with its URLs and KUBECONFIG
 *   npm run demo -- --only web   plays one chapter only
 *   npm run demo -- --kill    kills the operator (SIGKILL) in the middle of each healing and starts it again
 */
import { parseArgs } from 'node:util';
import { prepareShop } from './shop.ts';
import { judge, report } from './report.ts';
import { NAMESPACE, CHAPTERS } from './story.ts';
import { Stage } from './stage.ts';

const { values: flags } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    kill: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

async function main(): Promise<number> {
  const stage = await Stage.open({ keep: flags.keep });
  const leave = (): void => void stage.close().finally(() => process.exit(130));
  process.once('SIGINT', leave).once('SIGTERM', leave);
  try {
    await prepareShop(stage);
    await stage.startOperator();
    await stage.untilLearned();
    const chapters = CHAPTERS.filter(({ workload }) => flags.only === undefined || workload === flags.only);
    for (const chapter of chapters) await stage.play(chapter, { kill: flags.kill });
    await stage.settle();
    const outcome = judge(await stage.look(), stage.injections);
    stage.say(`\n${report(outcome)}\n`);
    if (flags.keep) stage.tellWhereItRuns(NAMESPACE);
    return outcome.isGood ? 0 : 1;
  } finally {
    if (!flags.keep) await stage.close();
  }
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`\ndemo: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
if (flags.keep) process.exit();
