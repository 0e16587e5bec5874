import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { freePorts } from '../../tools/rig/ports.ts';
import { answered, startProgram } from '../support/started-program.ts';

const AT = '2024-01-25T10:00:00Z';

/** A Loki with one line of the pod, and what it was asked. */
async function aLoki() {
  const asked: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://loki').searchParams);
    const values = [[`${Date.parse(AT)}000000`, 'level=error write failed: No space left on device']];
    const result = [{ stream: { namespace: 'shop', pod: 'checkout-1' }, values }];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'streams', result } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { asked, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('detect-failure finds the lines of its pods in Loki, as the program is configured', async () => {
  const loki = await aLoki();
  const folder = mkdtempSync(join(tmpdir(), 'aegis-loki-'));
  const [port] = await freePorts(1);
  const main = join(import.meta.dirname, '../../src/main.ts');
  const program = startProgram(process.execPath, [main, `--port=${port}`], {
    cwd: folder,
    env: { AEGIS_CLUSTER: 'off', LOKI_URL: loki.url, DATA_DIR: join(folder, 'data') },
  });
  try {
    const url = `http://127.0.0.1:${port}`;
    await answered(`${url}/ping`, 60_000, program);
    const labels = { pod: 'checkout-1', namespace: 'shop' };
    const reply = await fetch(`${url}/api/v1/detect-failure`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': 'dev_api_key' },
      body: JSON.stringify({ metrics: [{ metric_type: 'cpu_usage', value: 20, timestamp: AT, labels }], logs: [] }),
    });
    expect(await reply.json()).toMatchObject({ failure_detected: true, failure_type: 'volume_full' });
    expect(loki.asked[0]?.get('query')).toMatch(/namespace="shop".*pod.*checkout-1/);
    expect(loki.asked[0]?.get('start')).toBe(`${Date.parse(AT) - 300_000}000000`);
  } finally {
    await program.stop();
    loki.server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 90_000);
