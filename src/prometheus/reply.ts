import type { SourceError } from '../controller/ports.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { ReplyLimits } from './options.ts';
import { sourceError } from './source-error.ts';
import type { ApiReply } from './transport.ts';

/** The envelope of every reply, opened. */
export interface OpenedReply {
  readonly data: unknown;
  /** Why the data is not the whole truth; absent: nothing was said against it. */
  readonly partial?: string;
}

/**
 * Opens `{status, data, errorType, error, warnings, infos}`. An error is an error, also with data beside it and also
 * under status 200.
 */
export function openReply(reply: ApiReply, limits: ReplyLimits): Result<OpenedReply, SourceError> {
  if (reply.status >= 300 && reply.status < 400) {
    return err(sourceError('BadReply', `redirect (${reply.status}) refused: name the final address`));
  }
  const body = parseJson(reply.text, limits);
  if (reply.status !== 200) return err(statusError(reply, body));
  if (body === 'too-large') return err(sourceError('QueryTooLarge', `more than ${limits.maxSeries} series`));
  if (body === undefined) return err(sourceError('BadReply', 'the reply is no JSON object'));
  if (body['status'] !== 'success') return err(declaredError(body));
  const partial = partialReason(body);
  return ok({ data: body['data'], ...(partial === undefined ? {} : { partial }) });
}

type Body = Readonly<Record<string, unknown>>;

function parseJson(text: string, limits: ReplyLimits): Body | 'too-large' | undefined {
  if (tooManyValues(text, limits)) return 'too-large';
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * 16 MiB of `[[],[],...` parse to a heap of 200 MB. A series opens two objects and one array, a point one array, so
 * more brackets than that many hold no legitimate reply; some room is left for brackets inside of label values.
 */
function tooManyValues(text: string, { maxSeries, maxPoints }: ReplyLimits): boolean {
  let left = 8 * maxSeries + maxPoints;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code === 0x5b || code === 0x7b) && --left < 0) return true;
  }
  return false;
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function statusError({ status, text }: ApiReply, body: Body | 'too-large' | undefined): SourceError {
  const said = typeof body === 'object' && typeof body['error'] === 'string' ? body['error'] : text.slice(0, 200);
  const message = `status ${status}: ${said}`;
  if (status === 401 || status === 403) return sourceError('Unauthorized', message);
  if (status === 400 || status === 422) return sourceError(isLimit(said) ? 'QueryTooLarge' : 'QueryInvalid', message);
  if (status === 413 || status === 414) return sourceError('QueryTooLarge', message);
  if (status === 408 || status === 504) return sourceError('Timeout', message);
  if (typeof body === 'object' && body['errorType'] === 'timeout') return sourceError('Timeout', message);
  return sourceError(status === 429 || status >= 500 ? 'Unreachable' : 'BadReply', message);
}

/** Servers refuse costly queries with the same status as wrong ones. */
const isLimit = (said: string): boolean => /too many (samples|series|chunks|points)|limit|exceeded/i.test(said);

function declaredError(body: Body): SourceError {
  const said = typeof body['error'] === 'string' ? body['error'] : 'status is not success';
  if (body['errorType'] === 'bad_data') return sourceError('QueryInvalid', said);
  if (body['errorType'] === 'timeout' || body['errorType'] === 'canceled') return sourceError('Timeout', said);
  if (body['errorType'] === 'execution') return sourceError(isLimit(said) ? 'QueryTooLarge' : 'QueryInvalid', said);
  return sourceError('BadReply', said);
}

/**
 * Notes on the quality of a query that say nothing against its data: a counter whose name has no `_total`, and
 * buckets that rounding left slightly out of order. Any other note means that something was left out.
 */
const HARMLESS = /metric might not be a counter|needed to be fixed for monotonicity/;

function partialReason(body: Body): string | undefined {
  const warnings = notes(body['warnings']);
  if (warnings.length > 0) return warnings[0];
  return notes(body['infos']).find((note) => !HARMLESS.test(note));
}

/** Anything that is not an empty list is a note: what cannot be read is not waved through. */
function notes(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return ['unreadable warnings'];
  return value.map((note) => (typeof note === 'string' ? note : 'unreadable warning'));
}
