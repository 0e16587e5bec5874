import { expect, test } from '@jest/globals';
import { anApi, KEY } from '../../support/builders/http.ts';
import { fuzz } from '../../support/openapi-run.ts';

/** A tenth of a minute of `npm run test:contract`. */
const REQUESTS = 500;

test('requests made from the OpenAPI document are answered as it says', async () => {
  const api = await anApi({ options: { rate: { perKey: 1_000_000, perAddress: 1_000_000 } } });
  const report = await fuzz({ url: api.url, key: KEY, requests: REQUESTS });
  await api.stop();
  expect(report.faults).toEqual([]);
  expect(report.requests).toBeGreaterThanOrEqual(REQUESTS);
  // A run in which nothing was taken, or nothing refused, has shown nothing.
  expect(
    Math.min(report.valid, report.invalid, report.statuses['200'] ?? 0, report.statuses['422'] ?? 0),
  ).toBeGreaterThan(20);
});
