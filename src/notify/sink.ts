import type { AlertMessage } from '../controller/ports.ts';

/** One request to a sink. */
export interface Envelope {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a sink needs to make its requests. */
export interface EnvelopeContext {
  /** Content of a credential's file; rejects if it cannot be read. */
  readonly secret: (file: string) => Promise<string>;
  readonly nowMs: number;
}

/** Makes requests of messages; sending, repeating and grouping are done elsewhere. */
export interface Sink {
  readonly name: string;
  /**
   * The requests that carry these messages of one group, oldest first and each key once: a single one, unless the
   * receiver has to be told of every end by itself. The same messages give the same identity, so that a repetition is
   * recognised. Rejects if a secret cannot be read.
   */
  envelopes(messages: readonly AlertMessage[], context: EnvelopeContext): Promise<readonly Envelope[]>;
}

export const JSON_TYPE = { 'content-type': 'application/json' } as const;

/** `Authorization` header, where the sink has a token. */
export async function bearer(
  file: string | undefined,
  { secret }: EnvelopeContext,
): Promise<Readonly<Record<string, string>>> {
  return file === undefined ? {} : { authorization: `Bearer ${await secret(file)}` };
}

/** At most so many characters, cut visibly. */
export const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, Math.max(0, length - 3))}...`;

/** "3 alerts: checkout, cart and 1 more in shop": how a group is summed up in a line. */
export function headline(messages: readonly AlertMessage[]): string {
  const [first] = messages;
  if (first === undefined) return '';
  if (messages.length === 1) return first.title;
  const workloads = [...new Set(messages.map((message) => `${message.namespace}/${message.workload}`))];
  const named = workloads.slice(0, 5).join(', ');
  const more = workloads.length > 5 ? ` and ${workloads.length - 5} more` : '';
  return `${messages.length} alerts: ${named}${more}`;
}

const ORDER = ['low', 'medium', 'high', 'critical'] as const;

/** The worst severity of a group. */
export function worst(messages: readonly AlertMessage[]): AlertMessage['severity'] {
  const rank = messages.reduce((max, { severity }) => Math.max(max, ORDER.indexOf(severity)), 0);
  return ORDER[rank] ?? 'critical';
}
