import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, logPath, type DaemonRecord } from './processes.ts';

/** Polls until `probe` says true; the last thing that went wrong is part of the error. */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  probe: () => boolean | Promise<boolean>,
  everyMs = 100,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      if (await probe()) return;
    } catch (error) {
      last = `: ${String(error)}`;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s${last}`);
    await sleep(everyMs);
  }
}

/** As waitUntil, but gives up at once when the daemon has died, and shows the end of its log. */
export async function waitForDaemon(
  stateDir: string,
  daemon: DaemonRecord,
  probe: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const died = { yes: false };
  try {
    await waitUntil(`${daemon.name} ready`, timeoutMs, () => {
      died.yes = !isAlive(daemon);
      return died.yes ? true : probe();
    });
    if (died.yes) throw new Error(`${daemon.name} ended during start-up`);
  } catch (error) {
    const log = readFileSync(logPath(stateDir, daemon.name), 'utf8').slice(-1500);
    throw new Error(`${String(error)}\n--- end of ${daemon.name}.log ---\n${log}`);
  }
}
