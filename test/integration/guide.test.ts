import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startBuiltServer, type BuiltServer } from '../support/built-server.ts';

/** A call that was recorded, word for word where the guide shows it, and what must come of it. */
interface Recorded {
  readonly from: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status: number;
  readonly type?: string;
  /** Is in the answer, which may hold more. */
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly fields?: readonly string[];
  readonly text?: readonly string[];
}

const CALLS = JSON.parse(
  readFileSync(join(import.meta.dirname, '../recorded/guide.json'), 'utf8'),
) as readonly Recorded[];

const folder = mkdtempSync(join(tmpdir(), 'aegis-guide-'));
let server: BuiltServer;
beforeAll(async () => {
  server = await startBuiltServer(folder);
}, 180_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('clients of the engine before this one work unchanged: their calls, in their order, against the built server', () => {
  test.each(CALLS.map((call) => [call.from, call] as const))('%s', async (_, call) => {
    const { method, path, headers, body } = call;
    const reply = await fetch(server.url + path, { method, headers, ...(body !== undefined && { body }) });
    const text = await reply.text();
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      call.status,
      call.type ?? (expect.any(String) as unknown),
    ]);
    for (const part of call.text ?? []) expect(text).toContain(part);
    if (call.answer === undefined) return;
    const answer = JSON.parse(text) as Record<string, unknown>;
    expect(answer).toMatchObject(call.answer);
    for (const field of call.fields ?? []) expect(answer).toHaveProperty(field);
  });
});
