import { describe, expect, test } from '@jest/globals';
import { cleanLine, levelOf, MAX_LINE, serviceOf } from '../../../src/logs/log-line.ts';

describe('level', () => {
  test.each([
    ['{"level":"error","msg":"x"}', 'error'],
    ['{"level":50,"time":1,"msg":"x"}', 'error'],
    ['{"level":30,"msg":"ERROR in the message"}', 'info'],
    ['{"severity":"WARNING","message":"x"}', 'warn'],
    ['time="2026-01-05" level=fatal msg="x"', 'error'],
    ['ts=1 lvl=dbug level=debug', 'debug'],
    ['E0105 12:00:00.000000       1 controller.go:114] failed', 'error'],
    ['W0105 12:00:00.000000       1 x.go:1] slow', 'warn'],
    ['2026-01-05 12:00:00,123 ERROR [main] c.e.Checkout - boom', 'error'],
    ['2026-01-05 12:00:00 [WARN] low', 'warn'],
    ['[error] 7#7: upstream timed out', 'error'],
    ['WARNING: deprecated', 'warn'],
    ['panic: runtime error: index out of range', 'error'],
    ['Traceback (most recent call last):', 'error'],
    ['java.lang.OutOfMemoryError: Java heap space', 'error'],
    ['Exception in thread "main" x', 'error'],
    ['GET /errors 200', 'info'],
    ['all fine, no error at all', 'info'],
    ['', 'info'],
  ])('%s is %s', (line, level) => {
    expect(levelOf(line)).toBe(level);
  });

  test('hostile text costs no time', () => {
    const started = performance.now();
    for (const text of [' '.repeat(50_000) + 'x', 'a'.repeat(100_000), 'a.'.repeat(50_000), 'level'.repeat(20_000)])
      levelOf(text);
    expect(performance.now() - started).toBeLessThan(100);
  });
});

test.each([
  ['checkout-7d9f8b6c5d-x2x4z', 'checkout'],
  ['db-0', 'db'],
  ['node-agent-bcd2f', 'node-agent'],
  ['plain', 'plain'],
  ['front-end', 'front-end'],
])('service of pod %s is %s', (pod, service) => {
  expect(serviceOf(pod)).toBe(service);
});

test('a line is cut at 8 KiB and holds nothing that a terminal would obey', () => {
  expect(cleanLine('a'.repeat(100_000))).toHaveLength(MAX_LINE);
  expect(cleanLine('\x1b[31mred\x1b[0m\x07 bell\x00')).toBe('red  bell');
});
