/** A value that must not be printed by accident: only `reveal` shows it. */
export interface Secret {
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

/** Wraps a value; in logs, JSON and templates it reads `[secret]`. */
export function secret(value: string): Secret {
  return Object.freeze({ reveal: () => value, toString: () => '[secret]', toJSON: () => '[secret]' });
}
