/** Facts go into fields, never into the message: the message is a constant that can be searched for. */
export type Facts = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  /** Somebody must act. */
  error(message: string, facts?: Facts): void;
  /** A log that carries these facts on every line. */
  child(facts: Facts): Log;
}
