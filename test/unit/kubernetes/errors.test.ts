import { describe, expect, test } from '@jest/globals';
import { answerFault, retryAfterOf, thrownFault } from '../../../src/kubernetes/errors.ts';

describe('answers', () => {
  const rows: [string, number, unknown, string][] = [
    ['404 is gone', 404, {}, 'NotFound'],
    ['409 is a conflict', 409, { message: 'modified' }, 'Conflict'],
    ['410 is an expired version', 410, {}, 'Gone'],
    ['401 is a bad token', 401, {}, 'Unauthorized'],
    ['403 is a missing right', 403, { message: 'User "x" cannot create resource "pods/eviction"' }, 'Forbidden'],
    ['403 of a webhook is a refusal', 403, { message: 'admission webhook "w" denied the request: no' }, 'Rejected'],
    ['403 of a quota is a refusal', 403, { message: 'exceeded quota: pods' }, 'Rejected'],
    ['403 of an admission policy is a refusal', 403, { message: 'ValidatingAdmissionPolicy x denied' }, 'Rejected'],
    ['422 is a refusal', 422, {}, 'Rejected'],
    ['400 is a refusal', 400, 'bad', 'Rejected'],
    ['429 is too many', 429, {}, 'TooManyRequests'],
    ['500 is unavailable', 500, '<html>', 'Unavailable'],
    ['503 is unavailable', 503, undefined, 'Unavailable'],
    ['504 is a time-out', 504, {}, 'Timeout'],
    ['a redirect is nothing that is known', 302, {}, 'Unknown'],
  ];
  test.each(rows)('%s', (_row, status, body, kind) => {
    expect(answerFault(status, body)).toMatchObject({ kind, status, sent: true });
  });

  test('the causes and the wait of a Status are kept', () => {
    const body = { message: 'no', details: { causes: [{ reason: 'DisruptionBudget' }, {}], retryAfterSeconds: 10 } };
    expect(answerFault(429, body)).toMatchObject({ causes: ['DisruptionBudget'], retryAfterMs: 10_000, message: 'no' });
  });
});

describe('Retry-After', () => {
  const rows: [string, string | number | undefined, number | undefined][] = [
    ['seconds', '1', 1_000],
    ['thirty seconds', '30', 30_000],
    ['an hour is capped at five minutes', '3600', 300_000],
    ['garbage is the own backoff', 'soon', undefined],
    ['a date is the own backoff', 'Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['negative is the own backoff', '-5', undefined],
    ['infinite is the own backoff', '1e999', undefined],
    ['absent is the own backoff', undefined, undefined],
  ];
  test.each(rows)('%s', (_row, value, ms) => {
    expect(retryAfterOf(value)).toBe(ms);
  });
});

describe('thrown faults', () => {
  const named = (name: string): Error => Object.assign(new Error('x'), { name });
  const coded = (code: string): Error => Object.assign(new Error('x'), { code });
  const rows: [string, unknown, string, boolean][] = [
    ['AbortError is a time-out', named('AbortError'), 'Timeout', true],
    ['TimeoutError is a time-out', named('TimeoutError'), 'Timeout', true],
    ['a reset may have been delivered', coded('ECONNRESET'), 'Unavailable', true],
    [
      'fetch hides the code in the cause',
      new TypeError('fetch failed', { cause: coded('ECONNRESET') }),
      'Unavailable',
      true,
    ],
    ['a refused connection was never sent', coded('ECONNREFUSED'), 'Unavailable', false],
    ['nor one without an address', new TypeError('x', { cause: coded('ENOTFOUND') }), 'Unavailable', false],
    ['nor one whose certificate is refused', coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'Unavailable', false],
    ['nor one to the wrong host name', coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'Unavailable', false],
    ['a text is a fault as well', 'no', 'Unknown', true],
  ];
  test.each(rows)('%s', (_row, thrown, kind, sent) => {
    expect(thrownFault(thrown)).toMatchObject({ kind, sent });
  });

  test("the library's ApiException is an answer", () => {
    const exception = Object.assign(new Error('HTTP-Code: 409'), { code: 409, body: '{"message":"modified"}' });
    expect(thrownFault(exception)).toMatchObject({ kind: 'Conflict', message: 'modified', status: 409 });
  });
});
