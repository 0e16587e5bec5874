import { endDaemon, readDaemon, signalDaemon, startDaemon } from './processes.ts';
import { waitUntil } from './wait.ts';

/** One daemon of a running rig, from the view of a test that wants to break it. */
export interface DaemonHandle {
  /** Ends it politely; its data stays. */
  stop(): Promise<void>;
  /** Ends it without a word, as a node that lost power. */
  kill(): Promise<void>;
  /** Starts it again with the same arguments and data, and waits until it answers. */
  start(): Promise<void>;
  /** Stops its clock: connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
}

/** Works from any process that knows the state folder, since the record on disk says how to start the daemon again. */
export function daemonHandle(stateDir: string, name: string, isReady: () => Promise<boolean>): DaemonHandle {
  return {
    stop: () => endDaemon(readDaemon(stateDir, name), 'SIGTERM', 10_000),
    kill: () => endDaemon(readDaemon(stateDir, name), 'SIGKILL'),
    async start() {
      startDaemon(stateDir, readDaemon(stateDir, name));
      await waitUntil(`${name} ready`, 60_000, isReady);
    },
    pause: () => signalDaemon(readDaemon(stateDir, name), 'SIGSTOP'),
    resume: () => signalDaemon(readDaemon(stateDir, name), 'SIGCONT'),
  };
}

/** For `isReady`: an HTTP 200 from this address. */
export async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.ok;
}
