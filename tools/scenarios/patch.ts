type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 };

/** `now`, `-90s`, `+5m` as epoch milliseconds; anything else as it is. */
function timeOf(value: unknown, nowMs: number): unknown {
  if (value === 'now') return nowMs;
  const match = typeof value === 'string' ? /^([+-])(\d+)([smhd])$/.exec(value) : null;
  if (match === null) return value;
  return nowMs + (match[1] === '-' ? -1 : 1) * Number(match[2]) * (UNIT_MS[match[3] ?? 's'] ?? 1e3);
}

/** Every time in a patch made absolute: those are the values under names that end in AtMs. */
export function atMoment(value: unknown, nowMs: number, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => atMoment(each, nowMs, key));
  if (!isFields(value)) return key.endsWith('AtMs') ? timeOf(value, nowMs) : value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, atMoment(each, nowMs, name)]));
}

/** A JSON merge patch (RFC 7386): maps are merged, null removes, everything else replaces. */
export function merged<T>(target: T, patch: unknown): T {
  if (!isFields(patch)) return patch as T;
  const result: Record<string, unknown> = isFields(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = isFields(value) ? merged(result[name], value) : value;
  }
  return result as T;
}

/** The same in an object's `status`, as its controller writes times: RFC 3339. Everything else stays as it is. */
export function statusTimes(object: Fields, nowMs: number): Fields {
  const written = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(written);
    if (isFields(value)) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, written(each)]));
    const ms = timeOf(value, nowMs);
    return typeof value === 'string' && typeof ms === 'number' ? new Date(ms).toISOString() : value;
  };
  return 'status' in object ? { ...object, status: written(object['status']) } : object;
}

const ENVOY = 'gateway.envoyproxy.io/gatewayclass-controller';

/** A route without a status is one that an Envoy Gateway has accepted for each gateway which it names. */
export function asObserved(object: Fields): Fields {
  const spec = isFields(object['spec']) ? object['spec'] : {};
  const parentRefs: unknown = spec['parentRefs'];
  if (object['kind'] !== 'HTTPRoute' || 'status' in object || !Array.isArray(parentRefs)) return object;
  const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '', lastTransitionTime: '-1d' };
  const parents = parentRefs.map((parentRef: unknown) => ({
    controllerName: ENVOY,
    parentRef,
    conditions: [accepted],
  }));
  return { ...object, status: { parents } };
}
