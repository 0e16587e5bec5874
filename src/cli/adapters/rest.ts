import { randomUUID } from 'node:crypto';
import { err, ok, type Result } from '../../lib/result.ts';
import { messageOf } from '../../lib/thrown.ts';

const TIMEOUT_MS = 10_000;

/** One GET of the REST API of a running Aegis. The error says what was asked and what to mend. */
export function getJson(url: URL, apiKey: string | undefined): Promise<Result<unknown, string>> {
  return ask(url, apiKey, 'read', {});
}

/** One POST with an Idempotency-Key of its own: an administrator's request that is carried out once. */
export function postJson(url: URL, apiKey: string | undefined, body: object): Promise<Result<unknown, string>> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  return ask(url, apiKey, 'admin', { method: 'POST', headers, body: JSON.stringify(body) });
}

async function ask(
  url: URL,
  apiKey: string | undefined,
  scope: string,
  { headers, ...init }: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string },
): Promise<Result<unknown, string>> {
  const all = { ...headers, ...(apiKey !== undefined && { 'x-api-key': apiKey }) };
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const reply = await fetch(url, { ...init, headers: all, redirect: 'error', signal });
    const body = await reply.text();
    if (reply.status === 401 || reply.status === 403) {
      return err(`${url.href}: HTTP ${reply.status}: set AEGIS_API_KEY to a key with the scope ${scope}`);
    }
    if (!reply.ok) return err(`${url.href}: HTTP ${reply.status}: ${body.slice(0, 200)}`);
    return ok(JSON.parse(body) as unknown);
  } catch (error) {
    return err(`${url.href}: no answer: ${messageOf(error)}`);
  }
}
