import type { Log } from '../../lib/log.ts';

const nothing = (): void => undefined;

/** A command answers on its own terminal; what adapters log besides would only stand between its lines. */
export const silentLog: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLog,
};
