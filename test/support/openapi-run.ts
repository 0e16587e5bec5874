import http from 'node:http';
import fc from 'fast-check';
import { faultOf, OPERATIONS, requestsTo, type FuzzAnswer, type FuzzRequest, type Operation } from './openapi-fuzz.ts';

/** What a run sent and saw. */
export interface FuzzReport {
  readonly requests: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests that the document allows, and those that it does not. */
  readonly valid: number;
  readonly invalid: number;
  /** One for each operation that failed: the smallest request found, and what is wrong. */
  readonly faults: readonly string[];
}

export interface FuzzSetting {
  readonly url: string;
  readonly key: string;
  readonly requests: number;
  readonly seed?: number;
}

/** For a request that is never answered; a loaded machine must not be mistaken for one. */
const ANSWER_WITHIN_MS = 60_000;

/** Sends requests made from the document; each operation gets its share. */
export async function fuzz({ url, key, requests, seed }: FuzzSetting): Promise<FuzzReport> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const statuses: Record<string, number> = {};
  const kinds = { valid: 0, invalid: 0, any: 0 };
  const faults: string[] = [];
  const weights = OPERATIONS.map(weightOf);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let sent = 0;
  for (const [i, operation] of OPERATIONS.entries()) {
    const numRuns = Math.ceil((requests * (weights[i] ?? 1)) / all);
    const property = fc.asyncProperty(requestsTo(operation, key), async (request) => {
      const answer = await send(agent, url, request);
      sent += 1;
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      kinds[request.kind] += 1;
      const fault = faultOf(request, answer);
      if (fault !== undefined) throw new Error(fault);
    });
    const result = await fc.check(property, { numRuns, ...(seed !== undefined && { seed }) });
    if (result.failed) faults.push(describe(result));
  }
  agent.destroy();
  return { requests: sent, statuses, valid: kinds.valid, invalid: kinds.invalid, faults };
}

/** What takes a body has the most ways to be wrong; a page that takes nothing has hardly any. */
function weightOf({ body, parameters }: Operation): number {
  if (body !== undefined) return 20;
  return parameters.length > 0 ? 8 : 2;
}

function describe(result: fc.RunDetails<[FuzzRequest]>): string {
  const [request] = result.counterexample ?? [];
  const fault = result.errorInstance instanceof Error ? result.errorInstance.message : 'failed';
  const { method, target, headers, body, kind } = request ?? ({} as Partial<FuzzRequest>);
  return `${method} ${target} (${kind}, seed ${result.seed}): ${fault}\n  ${JSON.stringify(headers)}\n  ${body ?? ''}`;
}

/** One exchange. A stream of events is left after what comes first, for it has no end. */
function send(agent: http.Agent, url: string, { method, target, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
  return new Promise((resolve, reject) => {
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = http.request(url + target, { agent, method, headers: { ...given, ...length } }, (response) => {
      const contentType = response.headers['content-type'] ?? '';
      const finish = (text: string): void => resolve({ status: response.statusCode ?? 0, contentType, text });
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (!contentType.startsWith('text/event-stream') || !text.includes('\n\n')) return;
        finish(text);
        request.destroy();
      });
      response.on('end', () => finish(text));
      response.on('error', reject);
    });
    request.setTimeout(ANSWER_WITHIN_MS, () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.end(body);
  });
}
