type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The fields that have a value: an absent optional field is left out, not set to undefined. */
export function present<T extends object>(fields: T): Present<T> {
  const out: Present<T> = {};
  for (const name of Object.keys(fields) as (keyof T)[]) {
    const value = fields[name];
    if (value !== undefined) out[name] = value as Exclude<T[keyof T], undefined>;
  }
  return out;
}
