import { type Json, record } from './json.ts';

/**
 * The JSON merge patch (RFC 7386) that turns `before` into `after`: a key that is gone becomes null, lists are
 * replaced whole. `undefined`: nothing differs, so nothing need be written.
 */
export function mergePatch(before: Json, after: Json): Json | undefined {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (after[key] === undefined && before[key] !== undefined) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const change =
      isMap(value) && isMap(before[key]) ? mergePatch(record(before[key]), record(value)) : whole(before[key], value);
    if (change !== undefined) patch[key] = change;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

const isMap = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const whole = (before: unknown, after: unknown): unknown =>
  JSON.stringify(before) === JSON.stringify(after) ? undefined : after;
