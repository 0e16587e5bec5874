import { err, ok, type Result } from '../../lib/result.ts';
import { messageOf } from '../../lib/thrown.ts';

const TIMEOUT_MS = 10_000;

/** One GET of the REST API of a running Aegis. The error says what was asked and what to mend. */
export async function getJson(url: URL, apiKey: string | undefined): Promise<Result<unknown, string>> {
  const headers = apiKey === undefined ? {} : { 'x-api-key': apiKey };
  try {
    const reply = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body = await reply.text();
    if (reply.status === 401 || reply.status === 403) {
      return err(`${url.href}: HTTP ${reply.status}: set AEGIS_API_KEY to a key with the scope read`);
    }
    if (!reply.ok) return err(`${url.href}: HTTP ${reply.status}: ${body.slice(0, 200)}`);
    return ok(JSON.parse(body) as unknown);
  } catch (error) {
    return err(`${url.href}: no answer: ${messageOf(error)}`);
  }
}
