import type { z } from 'zod';
import { list, record } from '../../src/kubernetes/json.ts';
import { eventSchema, manifestSchema, workloadSchema } from './event-schema.ts';
import type { Meant } from './meaning.ts';
import { expectSchema, forbidSchema } from './schema.ts';

/** What can be read of a scenario that is not whole, so that all that is wrong with it can be said at once. */
export function partOf(given: Readonly<Record<string, unknown>>): Meant {
  const cluster = record(given['cluster']);
  const { lastsSeconds } = given;
  return {
    lastsSeconds: typeof lastsSeconds === 'number' ? lastsSeconds : Infinity,
    cluster: {
      workloads: list(cluster['workloads']).flatMap((raw) => parsed(workloadSchema, raw) ?? namedAlone(raw)),
      nodes: list(cluster['nodes']).map(record),
    },
    events: list(given['events']).map((raw) => parsed(eventSchema, raw)),
    policies: list(given['policies']).map((raw) => parsed(manifestSchema, raw)),
    guardrails: list(given['guardrails']).map((raw) => parsed(manifestSchema, raw)),
    expect: fieldsOf(expectSchema, given['expect']),
    forbid: fieldsOf(forbidSchema, given['forbid']),
  };
}

function parsed<S extends z.ZodType>(schema: S, raw: unknown): z.output<S> | undefined {
  const result = schema.safeParse(raw);
  return result.success ? result.data : undefined;
}

/** A workload of which only the name can be read: how many pods it has, nothing says. */
function namedAlone(raw: unknown): Meant['cluster']['workloads'] {
  const { name, metrics } = record(raw);
  if (typeof name !== 'string') return [];
  const known = Object.keys(record(metrics)).map((metric) => [metric, { level: 0, noise: 0 }] as const);
  return [{ name, pods: 0, ...(metrics !== undefined && { metrics: Object.fromEntries(known) }) }];
}

/** Each field by itself: one that cannot be read takes no other with it. */
function fieldsOf<S extends z.ZodObject>(schema: S, raw: unknown): z.output<S> {
  const fields = Object.entries(record(raw)).filter(([name, value]) => schema.safeParse({ [name]: value }).success);
  return schema.parse(Object.fromEntries(fields));
}
