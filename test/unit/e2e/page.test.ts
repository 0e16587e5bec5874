import { expect, test } from '@jest/globals';
import { Page } from '../../../tools/e2e/app/page.ts';

test('the page of the sample application counts requests by status, and durations in cumulative buckets', () => {
  const page = new Page();
  page.observe(200, 0.007);
  page.observe(200, 0.3);
  page.observe(500, 20);
  const lines = page.render().split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'http_requests_total{code="200"} 2',
      'http_requests_total{code="500"} 1',
      'http_request_duration_seconds_bucket{le="0.005"} 0',
      'http_request_duration_seconds_bucket{le="0.01"} 1',
      'http_request_duration_seconds_bucket{le="0.5"} 2',
      'http_request_duration_seconds_bucket{le="+Inf"} 3',
      'http_request_duration_seconds_count 3',
    ]),
  );
});
