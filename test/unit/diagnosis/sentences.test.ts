import { describe, expect, test } from '@jest/globals';
import { printable, signaturesOf } from '../../../src/diagnosis/log-signatures.ts';
import type { LogSignature } from '../../../src/diagnosis/log-signatures.ts';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';
import { described, figure, kubectl, logWeight, logged, objectName, span } from '../../../src/diagnosis/sentences.ts';
import { factsOf } from '../../support/assessment.ts';
import { logLines, MINUTE, NOW, ONSET } from '../../support/builders/diagnosis.ts';
import type { Behaviour, PodSpec } from '../../support/builders/diagnosis.ts';

describe('numbers and spans in words', () => {
  test.each([
    [0, '0'],
    [41, '41'],
    [0.005, '0.005'],
    [92.96, '93'],
    [1234.5, '1230'],
    [1e-9, '1e-9'],
  ])('%d is %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  test.each([
    [-5000, '0 s'],
    [0, '0 s'],
    [1499, '1 s'],
    [89_499, '89 s'],
    [90_000, '2 min'],
    [5_399_999, '90 min'],
    [5_400_000, '2 h'],
    [172_799_999, '48 h'],
    [172_800_000, '2 days'],
    [3.4 * 86_400_000, '3 days'],
  ])('%d ms are %s', (ms, text) => {
    expect(span(ms)).toBe(text);
  });
});

describe('a metric in words', () => {
  const of = (...pods: readonly Behaviour[]) =>
    described(factsOf({ pods: pods.map((each): PodSpec => ({ metrics: { cpu_usage: each } })) }).metric('cpu_usage'));
  test.each<[string, readonly Behaviour[], string]>([
    ['of one pod', [['up', 93, 41], ['flat', 40, 41]], 'cpu_usage up to 93 (expected 41) on pod checkout-abc-1'],
    ['of two pods', [['down', 3, 41], ['down', 3, 41], ['flat', 41, 41]], 'cpu_usage down to 3 (expected 41) on 2 of 3 pods'],
    ['of a pod that was born ill: what it learnt is left out', [['up', 93, 92], ['flat', 40, 40]], 'cpu_usage up to 93 on pod checkout-abc-1'],
    ['as usual', [['flat', 40, 40]], 'cpu_usage as usual'],
    ['not measured', [], 'cpu_usage unknown'],
  ])('%s', (_, pods, text) => {
    expect(of(...pods)).toBe(text);
  }); // prettier-ignore
});

describe('objects in commands', () => {
  test('with a namespace and without', () => {
    const shop = factsOf({ pods: [{}] });
    expect(objectName(shop)).toBe('deployment/checkout');
    expect(kubectl(shop, 'get pods')).toBe('kubectl -n shop get pods');
    expect(kubectl(factsOf({ pods: [], without: ['workload', 'verdict'] }), 'get pods')).toBe('kubectl get pods');
  });
});

describe('how much lines weigh', () => {
  const line = (atMs: number, level: LogLine['level'] = 'error'): LogLine => ({
    atMs,
    level,
    message: 'panic: boom',
    service: 'checkout',
  });
  /** One line each `spacingMs` from `from` until `to`. */
  const every = (spacingMs: number, from: number, to: number, level?: LogLine['level']) =>
    Array.from({ length: Math.floor((to - from) / spacingMs) }, (_, i) => line(from + i * spacingMs, level));
  const START = ONSET - MINUTE; // the guard before the onset
  const weigh = (logs: readonly LogLine[]) => logWeight(factsOf({ pods: [{}], input: { logs } }), 'panic', 2);

  test.each<[string, readonly LogLine[], number]>([
    ['none', [], 0],
    ['only before the onset', [line(START - 1)], 0],
    ['nothing from before is known', [line(NOW)], 2],
    ['none before, where lines were', [{ ...line(START - MINUTE), message: 'ready' }, line(NOW)], 2],
    ['as frequent before: a quarter', every(10_000, START - 4 * MINUTE, NOW), 0.5],
    ['half as frequent again: a quarter', [...every(12_000, START - 4 * MINUTE, START), ...every(8_000, START, NOW)], 0.5],
    ['twice as frequent', [...every(20_000, START - 4 * MINUTE, START), ...every(10_000, START, NOW)], 2],
    ['less frequent: a quarter', [...every(5_000, START - 4 * MINUTE, START), ...every(60_000, START, NOW)], 0.5],
    ['neither warnings nor errors: half', [line(NOW, 'info')], 1],
    ['one warning among them', [line(NOW, 'info'), line(NOW, 'warn')], 2],
    ['as frequent before, and no alarm: an eighth', every(10_000, START - 4 * MINUTE, NOW, 'info'), 0.25],
  ])('%s', (_, logs, weight) => {
    expect(weigh(logs)).toBe(weight);
  }); // prettier-ignore

  test('one line, several, none', () => {
    const facts = factsOf({ pods: [{}], logs: ['panic: a', 'panic: b', 'deadlock'] });
    expect(logged(facts, 'panic')).toBe('2 log lines tell of panic, such as “panic: b”');
    expect(logged(facts, 'lock')).toBe('a log line tells of lock, such as “deadlock”');
    expect(logged(facts, 'dns')).toBeUndefined();
  });

  test('a signature remembers where and when it was seen', () => {
    const lines = logLines(['panic: a', 'panic: b', 'panic: c']);
    const logs = lines.map((each, i) => ({ ...each, pod: ['b', 'a', 'b'][i] ?? '' })).toReversed();
    const later = [...logs, { ...line(NaN), message: 'panic: d' }];
    expect(factsOf({ pods: [{}], input: { logs: later } }).logs.get('panic')).toMatchObject({
      count: 3,
      alarming: 3,
      pods: ['a', 'b'],
      lastAtMs: lines[2]?.atMs,
      example: 'panic: c',
    });
  });

  test('of lines at one moment the last by text is shown', () => {
    const logs = ['panic: b', 'panic: c', 'panic: a'].map((message) => ({ ...line(NOW), message }));
    expect(factsOf({ pods: [{}], input: { logs } }).logs.get('panic')?.example).toBe('panic: c');
  });
});

test('text of others is cut, and carries no control characters', () => {
  expect(printable('a'.repeat(120))).toBe('a'.repeat(120));
  expect(printable('a'.repeat(121))).toBe(`${'a'.repeat(119)}…`);
  expect(printable(' a\u0007b\u202ec\u2066d\u009f ')).toBe('a b c d');
});

/** Lines as runtimes, servers and clients write them, and what each tells of. */
const LINES: Readonly<Record<LogSignature, readonly string[]>> = {
  'out-of-memory': ['java.lang.OutOfMemoryError', 'Out of memory: Killed process 7', 'FATAL ERROR: JavaScript heap out of memory', 'fork: Cannot allocate memory', 'MemoryError', 'Reached heap limit', 'reason OOMKilled', 'Java heap space', 'read failed: ENOMEM'],
  'gc-pause': ['GC pause of 4 s', 'GC overhead limit', 'stop-the-world 900 ms', 'Full GC', 'long gc', 'Major GC', 'Mark-sweep 2048', 'Mark-Compact 900', 'a gc pause'],
  'slow-request': ['slow request', 'Slow query: 4 s', 'slow response', 'slow operation', 'request took 9 s', 'it took too long'],
  'rate-limited': ['status 429', 'Too Many Requests', 'rate limit', 'rate-limited', 'ratelimit'],
  retrying: ['retry in 2 s', 'Retrying', 'max retries', 'attempt 2 of 5', 'attempt 100 of 100', 'will try again'],
  panic: ['panic: nil map', 'Traceback (most recent call last)', 'Unhandled exception', 'unhandled promise', 'unhandled rejection', 'unhandled error', 'Uncaught TypeError', 'Segmentation fault', 'SIGSEGV', 'SIGABRT', 'Fatal error', 'Exception in thread "main"', 'core dumped'],
  'missing-reference': ['open /etc/x: no such file or directory', 'ENOENT', 'missing environment variable', 'missing required env DB', 'missing config', 'missing variable X', 'missing setting', 'missing key', 'missing required argument', 'environment variable DB_URL is not set', 'configuration key a.b is missing', 'config not found', 'setting X is required', 'config key: not set', 'invalid configuration', 'cannot parse config', 'failed to load config', 'configmap "app" not found', 'secret "db" not found'],
  'pool-exhausted': ['connection pool exhausted', 'pool is exhausted', 'pool timeout', 'pool timed out', 'pool time out', 'pool is full', 'pool is empty', 'pool empty', 'too many clients already', 'too many connections', 'timeout acquiring a connection', 'timeout waiting for connection', 'remaining connection slots are reserved', 'unable to acquire', 'could not get a jdbc connection', 'could not obtain connection', 'could not acquire a connection', 'Connection is not available', 'QueuePool limit of size 5'],
  'connection-refused': ['connect ECONNREFUSED', 'Connection refused', 'connect failed', 'no route to host', 'EHOSTUNREACH', 'upstream connect error'],
  'connection-reset': ['ECONNRESET', 'connection reset by peer', 'broken pipe', 'EPIPE', 'socket hang up', 'unexpected EOF', 'i/o timeout'],
  deadline: ['deadline exceeded', 'DEADLINE_EXCEEDED', 'ETIMEDOUT', 'connection timed out', 'connection time out', 'connection timeout', 'connect timeout', 'connection time-out', 'request timed out', 'read timed out', 'operation time out', 'upstream timed out', 'socket timed out', 'gateway timed out', 'read timeout', 'request timeout', 'socket timeout', 'upstream timeout', 'context deadline'],
  'bad-gateway': ['502', 'status=503', '504 ', 'bad gateway', 'service unavailable', 'gateway timeout', 'gateway time-out', 'UNAVAILABLE: x', 'no healthy upstream'],
  dns: ['EAI_AGAIN', 'ENOTFOUND', 'getaddrinfo', 'no such host', 'SERVFAIL', 'NXDOMAIN', 'name resolution', 'could not resolve', 'temporary failure in name', 'Name or service not known', 'lookup db on 10.0.0.10:53'],
  certificate: ['x509: unknown authority', 'CERT_HAS_EXPIRED', 'certificate has expired', 'certificate is expired', 'certificate expired', 'certificate verify failed', 'certificate is not yet valid', 'tls: bad certificate', 'SSLHandshakeException', 'CERT_NOT_YET_VALID'],
  authentication: ['authentication failed', 'password authentication', 'access denied', 'invalid credentials', 'invalid password', 'invalid token', 'invalid api key', '401', '403 ', 'unauthorized', 'permission denied for table', 'login failed', 'token has expired', 'token expired', 'NOAUTH', 'WRONGPASS', 'bad credentials'],
  'disk-full': ['ENOSPC', 'no space left on device', 'disk full', 'disk is full', 'disk quota exceeded', 'volume is full', 'EDQUOT'],
  lock: ['deadlock detected', 'lock wait', 'lock timeout', 'could not obtain lock', 'waiting for a lock', 'waiting for exclusive row lock', 'database is locked', 'blocked for more than 120 seconds', 'SQLITE_BUSY', 'ER_LOCK_WAIT_TIMEOUT'],
  'process-exit': ['shutting down', 'process exit', 'exited with 1', 'exit code 1', 'exiting with error', 'terminated unexpectedly', 'service down', 'service is down', 'service unavailable', 'service is unavailable', 'has stopped', 'SIGTERM', 'SIGKILL', 'db is unavailable', 'crashed', 'crash loop'],
}; // prettier-ignore

describe('what lines tell of', () => {
  test.each(Object.entries(LINES) as [LogSignature, readonly string[]][])('%s', (signature, lines) => {
    expect(lines.filter((line) => !signaturesOf(line).includes(signature))).toEqual([]);
  });

  test.each<[LogSignature, readonly string[]]>([
    ['out-of-memory', ['memory usage 40 %', 'XENOMEMX']],
    ['rate-limited', ['port 4290', 'id 1429']],
    ['retrying', ['retryable', 'entry', 'attempt of 5', 'attempt 2000 of 5']],
    ['panic', ['no panic', 'handled exception']],
    ['missing-reference', ['configuration loaded', 'secret found', `configmap ${'x'.repeat(81)} not found`]],
    ['bad-gateway', ['port 5020', '501', '505', 'a1502']],
    ['authentication', ['port 4010', '402', 'a1401']],
    ['dns', ['lookup on', `lookup ${'x'.repeat(121)} on y`]],
    ['lock', ['waiting for room', `waiting for ${'x'.repeat(41)}lock`, 'block']],
    ['connection-refused', ['connection established']],
    ['disk-full', ['disk is half full']],
  ])('%s is not told by every line with such words', (signature, lines) => {
    expect(lines.filter((line) => signaturesOf(line).includes(signature))).toEqual([]);
  });

  test('a longer line is looked at for its first 8 KiB', () => {
    expect(signaturesOf(`${'a'.repeat(8192 - 6)} panic: x`)).toEqual([]);
    expect(signaturesOf(`${'a'.repeat(8192 - 7)} panic:`)).toEqual(['panic']);
  });
});
