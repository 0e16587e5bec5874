/**
 * `npm run test:contract [-- --requests 20000] [-- --seed N]`: builds the program, starts it as it is released, and sends
 * it requests that are made from its own OpenAPI document. Fails on any 5xx, any status or body that the document does
 * not describe, any request that is refused though the document allows it, and the other way round.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz } from '../support/openapi-run.ts';
import { startBuiltServer } from '../support/built-server.ts';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string' } },
});
const key = 'the-key-of-the-contract';
const folder = mkdtempSync(join(tmpdir(), 'aegis-contract-'));
const server = await startBuiltServer(folder, {
  ...{ API_KEY: key, LOG_LEVEL: 'warn' },
  ...{ RATE_LIMIT_PER_KEY: '1000000', RATE_LIMIT_PER_ADDRESS: '1000000' },
});
const startMs = performance.now();
const seed = values.seed === undefined ? {} : { seed: Number(values.seed) };
const report = await fuzz({ url: server.url, key, requests: Number(values.requests), ...seed });
const tookS = (performance.now() - startMs) / 1000;
await server.stop();
rmSync(folder, { recursive: true, force: true });

const statuses = Object.entries(report.statuses).map(([status, n]) => `${status}: ${n}`);
process.stdout.write(
  `${report.requests} requests in ${tookS.toFixed(0)} s; ${report.valid} allowed by the document, ${report.invalid} not allowed\n` +
    `statuses: ${statuses.join(', ')}\n${report.faults.map((fault) => `FAULT ${fault}\n`).join('')}${report.faults.length} faults\n`,
);
process.exitCode = report.faults.length > 0 || report.requests < Number(values.requests) ? 1 : 0;
