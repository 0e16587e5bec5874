import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLogger, type LoggerSetting } from '../../../src/telemetry/logger.ts';
import type { Facts } from '../../../src/lib/log.ts';

function logged(over: Partial<LoggerSetting> = {}) {
  const raw: string[] = [];
  const log = createLogger({ level: 'debug', write: (line) => raw.push(line), ...over });
  return { log, raw, parsed: () => raw.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('a log line', () => {
  test('is one JSON object with a constant message, a level, an ISO time and the facts', () => {
    const { log, raw, parsed } = logged({ base: { version: '1.2.3' } });
    log.info('policy accepted', { policy: 'shop/checkout', generation: 3 });
    expect(raw[0]).toMatch(/^\{.*\}\n$/);
    expect(parsed()[0]).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
      version: '1.2.3',
      policy: 'shop/checkout',
      generation: 3,
      msg: 'policy accepted',
    });
  });

  test('of a child carries its facts, and the line wins where both set one: no key is printed twice', () => {
    const { log, raw, parsed } = logged();
    log.child({ incidentId: 'i-1', step: 1 }).child({ step: 2 }).warn('held', { step: 3 });
    expect(parsed()[0]).toMatchObject({ incidentId: 'i-1', step: 3 });
    expect(raw[0]?.match(/"step"/g)).toHaveLength(1);
  });

  test('below the level is not written', () => {
    const { log, raw } = logged({ level: 'warn' });
    log.info('quiet');
    log.debug('quiet');
    log.error('loud');
    expect(raw).toHaveLength(1);
  });

  test('puts an error under one key, with type, message, code and stack', () => {
    const { log, parsed } = logged();
    log.error('write failed', { error: Object.assign(new TypeError('no route'), { code: 'EHOSTUNREACH' }) });
    expect(parsed()[0]?.['error']).toMatchObject({
      type: 'TypeError',
      message: 'no route',
      code: 'EHOSTUNREACH',
      stack: expect.stringContaining('no route') as unknown,
    });
  });

  const facts: readonly (readonly [what: string, facts: Facts, expected: unknown])[] = [
    [
      'names of the line itself get an underscore',
      { level: 'x', msg: 'y', time: 1 },
      { level_: 'x', msg_: 'y', time_: 1 },
    ],
    ['numbers that JSON lacks become text', { a: NaN, b: Infinity, c: 10n }, { a: 'NaN', b: 'Infinity', c: '10' }],
    ['bytes are counted, not printed', { bytes: new Uint8Array(5) }, { bytes: '[5 bytes]' }],
    [
      'a long list is cut',
      { list: Array.from({ length: 70 }, () => 1) },
      { list: [...(Array(64).fill(1) as number[]), '[6 more]'] },
    ],
  ];
  test.each(facts)('%s', (_what, given, expected) => {
    const { log, parsed } = logged();
    log.info('x', given);
    expect(parsed()[0]).toMatchObject(expected as Record<string, unknown>);
  });

  test('a cycle, a long text and deep nesting are bounded', () => {
    const { log, raw } = logged();
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    log.info('x', { cycle, text: 'y'.repeat(1_000_000) });
    expect(raw[0]?.length).toBeLessThan(10_000);
  });
});

describe('secrets', () => {
  const canary = 'canary/Secret+value-"42"';
  const places: readonly (readonly [where: string, facts: Facts])[] = [
    ['under its own name', { apiKey: canary }],
    ['in a header', { headers: { 'X-API-Key': canary, Authorization: `Bearer ${canary}` } }],
    ['deep down', { a: { b: { c: { password: canary } } } }],
    ['in an address', { url: `https://user:${encodeURIComponent(canary)}@host/` }],
    ['in an error', { error: new Error(`denied for ${canary}`) }],
    ['in base64', { header: `Basic ${Buffer.from(canary).toString('base64')}` }],
    ['as a plain text', { text: `it is ${canary}!` }],
  ];
  test.each(places)('never show: %s', (_where, given) => {
    const { log, raw } = logged({ secrets: [canary] });
    log.child(given).error('trouble', given);
    const text = raw.join('');
    for (const form of [canary, JSON.stringify(canary).slice(1, -1), encodeURIComponent(canary)]) {
      expect(text).not.toContain(form);
    }
    expect(text).not.toContain(Buffer.from(canary).toString('base64'));
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });
});

describe('hostile text', () => {
  test('cannot start a line, colour a terminal or reverse what is read; the value stays the same', () => {
    const hostile = 'a\r\n{"level":"error"}\u001b[31m\u009b31m\u202egnp.exe\u2066\u2028\u200b\ufeff\u007f';
    const { log, raw, parsed } = logged();
    log.info('x', { text: hostile, [hostile]: 1 });
    expect(raw[0]?.trimEnd()).toMatch(/^[\u0020-\u007e]*$/);
    expect(parsed()[0]?.['text']).toBe(hostile);
  });

  test('whatever the facts, a line is one line of JSON that no terminal obeys', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.anything({ withBigInt: true, withDate: true })),
        (given) => {
          const { log, raw } = logged();
          log.info('x', given);
          const line = raw[0] ?? '';
          expect(raw).toHaveLength(1);
          expect(line.indexOf('\n')).toBe(line.length - 1);

          expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
          expect(() => JSON.parse(line) as unknown).not.toThrow();
        },
      ),
    );
  });
});
