import { readFileSync } from 'node:fs';
import { helpText } from './config/help.ts';
import { loadConfig } from './config/load.ts';
import { configText, settingsInForce } from './config/print.ts';
import { secretsIn } from './config/secrets-in.ts';
import { VERSION } from './version.ts';

/** A stop that takes longer than this is a hang: the lease runs out by itself. */
const STOP_LIMIT_MS = 20_000;

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) {
    process.stdout.write(helpText());
    return;
  }
  const isPrinting = argv[0] === 'config' && argv[1] === 'print';
  const sources = { env: process.env, argv: isPrinting ? argv.slice(2) : argv, readFile };
  if (isPrinting) process.stdout.write(configText(settingsInForce(sources)));
  const config = loadConfig(sources);
  if (!config.ok) {
    for (const { path, message } of config.error) process.stderr.write(`aegis: ${path} ${message}\n`);
    process.exitCode = 2;
    return;
  }
  if (isPrinting) return;
  // Only now: a wrong setting must be told at once, before everything else is loaded.
  const { createApp } = await import('./app.ts');
  const { createLogger } = await import('./telemetry/logger.ts');
  const { logLevel } = config.value;
  const secrets = secretsIn(config.value);
  const log = createLogger({ level: logLevel, secrets, write: (line) => process.stdout.write(line) });
  for (const warning of config.value.warnings) log.warn(warning);
  const app = createApp(config.value, VERSION, log);
  const stop = (signal: string): void => {
    log.info('stopping', { signal });
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    void app.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  const started = await app.start();
  if (started.ok) {
    log.info('started', { version: VERSION, url: started.value.url });
    return;
  }
  log.error('cannot start', { why: started.error });
  await app.stop();
  process.exit(1);
}

await main(process.argv.slice(2));
