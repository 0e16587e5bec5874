import { ENGINE_BENCHES } from './benches.ts';
import { runEngineBench } from './engine-cli.ts';

/** `npm run bench:engine`: every figure of the engine beside its target and its peer. */
process.exitCode = await runEngineBench(process.argv.slice(2), ENGINE_BENCHES, {
  print: (text) => {
    console.log(text);
  },
  complain: (text) => {
    console.error(text);
  },
});
