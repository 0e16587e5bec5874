import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LOG_SIGNATURES, printable, signatureFacts, signaturesOf } from '../../../src/diagnosis/log-signatures.ts';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';

describe('what a line tells of', () => {
  test.each([
    ['java.lang.OutOfMemoryError: Java heap space', 'out-of-memory'],
    ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'out-of-memory'],
    ['[GC pause (G1 Evacuation Pause) 1.2s]', 'gc-pause'],
    ['slow query: 4.1 s', 'slow-request'],
    ['HTTP 429 Too Many Requests', 'rate-limited'],
    ['call failed, retrying in 50 ms', 'retrying'],
    ['panic: runtime error: index out of range', 'panic'],
    ['Traceback (most recent call last):', 'panic'],
    ['missing required environment variable DATABASE_URL', 'missing-reference'],
    ['environment variable FOO is not set', 'missing-reference'],
    ['open /etc/app.yaml: no such file or directory', 'missing-reference'],
    ['HikariPool-1 - Connection is not available, request timed out after 30000ms', 'pool-exhausted'],
    ['FATAL: sorry, too many clients already', 'pool-exhausted'],
    ['connect ECONNREFUSED 10.0.4.7:5432', 'connection-refused'],
    ['read: connection reset by peer', 'connection-reset'],
    ['Connection timeout', 'deadline'],
    ['rpc error: code = DeadlineExceeded desc = context deadline exceeded', 'deadline'],
    ['upstream answered 502 Bad Gateway', 'bad-gateway'],
    ['getaddrinfo EAI_AGAIN payment', 'dns'],
    ['lookup payment on 10.96.0.10:53: no such host', 'dns'],
    ['x509: certificate has expired or is not yet valid', 'certificate'],
    ['Error: CERT_HAS_EXPIRED', 'certificate'],
    ['password authentication failed for user "app"', 'authentication'],
    ['ENOSPC: no space left on device, write', 'disk-full'],
    ['ERROR: deadlock detected', 'lock'],
    ['Lock wait timeout exceeded; try restarting transaction', 'lock'],
    ['worker exited with code 1', 'process-exit'],
  ])('%s', (line, signature) => {
    expect(signaturesOf(line)).toContain(signature);
  });

  test.each([
    'GET /cart 200 14ms',
    'user 5502 logged in',
    'cache warmed with 1200 entries',
    'opened with 10 connections',
    '',
  ])('nothing: %s', (line) => {
    expect(signaturesOf(line)).toEqual([]);
  });
});

describe('hostile text', () => {
  const hostile = [
    `${' '.repeat(50_000)}x`,
    'a'.repeat(100_000),
    'lookup '.repeat(5_000),
    'waiting for '.repeat(5_000),
    'configmap '.repeat(5_000),
    'environment variable '.repeat(5_000),
    'attempt 1 of '.repeat(5_000),
    '\u0000\uffff'.repeat(50_000),
  ];

  test('time grows with the length and no further: every line is cut at 8 KiB and no pattern backtracks', () => {
    // Each of these would take minutes if a pattern were exponential, seconds if it were quadratic in 100 kB.
    for (const line of hostile) expect(signaturesOf(line).length).toBeLessThanOrEqual(LOG_SIGNATURES.length);
  });

  test('what stands behind 8 KiB is not looked at', () => {
    expect(signaturesOf(`${'.'.repeat(8192)} panic: late`)).toEqual([]);
  });

  test('an example is one printable line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const shown = printable(text);
        expect(shown.length).toBeLessThanOrEqual(120);
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});

describe('counts since the onset', () => {
  const line = (message: string, atMs: number, level: LogLine['level'] = 'error'): LogLine => ({
    message,
    atMs,
    level,
    service: 's',
    pod: 'p',
  });

  test('rate against before', () => {
    const lines = [
      ...Array.from({ length: 10 }, (_, i) => line('deadlock detected', i * 1000)),
      ...Array.from({ length: 20 }, (_, i) => line('deadlock detected', 10_000 + i * 500)),
    ];
    expect(signatureFacts(lines, 10_000, 20_000).get('lock')).toMatchObject({
      count: 20,
      alarming: 20,
      rateRatio: 2,
      pods: ['p'],
    });
  });

  test('never before', () => {
    const facts = signatureFacts([line('ready', 0, 'info'), line('panic: x', 11_000)], 10_000, 20_000);
    expect(facts.get('panic')?.rateRatio).toBe(Infinity);
  });

  test('nothing is known from before', () => {
    expect(signatureFacts([line('panic: x', 11_000)], 10_000, 20_000).get('panic')).not.toHaveProperty('rateRatio');
  });

  test('lines without a time are left out', () => {
    expect(signatureFacts([line('panic: x', NaN)], 10_000, 20_000).size).toBe(0);
  });
});
