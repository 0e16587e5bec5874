import { describe, expect, test } from '@jest/globals';
import type { ApiFault, PodLogRequest, ReadPodLog } from '../../../src/controller/ports.ts';
import { createLogSource } from '../../../src/logs/log-source.ts';
import { createPodLogs } from '../../../src/logs/pod-logs.ts';

const NOW = Date.parse('2026-01-05T12:05:00Z');
const SINCE = Date.parse('2026-01-05T12:00:00Z');

/** A log's text, or the kind of fault in its place. */
const source = (logs: Readonly<Record<string, string>>) => {
  const asked: { pod: string; request: PodLogRequest }[] = [];
  const readPodLog: ReadPodLog = (_, pod, request) => {
    asked.push({ pod, request });
    const text = logs[pod] ?? 'NotFound';
    return Promise.resolve(
      /^[A-Z][A-Za-z]+$/.test(text)
        ? { ok: false, error: { kind: text as ApiFault['kind'], message: text } }
        : { ok: true, value: text },
    );
  };
  return { logs: createPodLogs({ readPodLog, nowMs: () => NOW }), asked };
};
const read = (logs: Readonly<Record<string, string>>, maxLines = 100) =>
  source(logs).logs.read('shop', Object.keys(logs), SINCE, maxLines);

describe('pod logs', () => {
  test('lines of all pods in order of time, with level and service', async () => {
    const reply = await read({
      'checkout-7d9f8b6c5d-x2x4z': '2026-01-05T12:02:00.5Z ERROR late\n2026-01-05T12:03:00Z fine\n',
      'db-0': '2026-01-05T12:01:00.123456789Z level=warn early\n',
    });
    expect(reply).toEqual({
      ok: true,
      value: [
        {
          atMs: Date.parse('2026-01-05T12:01:00.123Z'),
          level: 'warn',
          message: 'level=warn early',
          service: 'db',
          pod: 'db-0',
        },
        expect.objectContaining({ level: 'error', message: 'ERROR late', service: 'checkout' }),
        expect.objectContaining({ level: 'info', message: 'fine' }),
      ],
    });
  });

  test.each([
    ['lines before the window are left out', '2026-01-05T11:59:59Z old\n2026-01-05T12:00:00Z new', ['new']],
    [
      'a line cut in half at the start has no time and is left out',
      'half a line\n2026-01-05T12:00:01Z whole',
      ['whole'],
    ],
    ['a line without a time goes with the one before', '2026-01-05T12:00:01Z a\n  at b', ['a', '  at b']],
    ['blank lines are none', '2026-01-05T12:00:01Z \n\n', []],
    ['a nonsense time is none', '2026-13-45T99:00:00Z x', []],
  ])('%s', async (_, text, messages) => {
    const reply = await read({ 'db-0': `${text} ` });
    expect(reply.ok && reply.value.map(({ message }) => message)).toEqual(messages);
  });

  test('the newest lines are kept', async () => {
    const text = Array.from({ length: 50 }, (_, i) => `2026-01-05T12:00:${String(i).padStart(2, '0')}Z line ${i}`).join(
      '\n',
    );
    const reply = await read({ 'db-0': text }, 3);
    expect(reply.ok && reply.value.map(({ message }) => message)).toEqual(['line 47', 'line 48', 'line 49']);
  });

  test('asks for the window, the lines and bounded bytes', async () => {
    const { logs, asked } = source({ 'db-0': '2026-01-05T12:00:01Z a' });
    await logs.read('shop', ['db-0'], SINCE, 2000);
    expect(asked).toEqual([{ pod: 'db-0', request: { sinceSeconds: 300, tailLines: 2000, limitBytes: 2 << 20 } }]);
  });

  test('reads at most 20 pods', async () => {
    const { logs, asked } = source({});
    await logs.read(
      'shop',
      Array.from({ length: 500 }, (_, i) => `p-${i}`),
      SINCE,
      10,
    );
    expect(asked).toHaveLength(20);
  });
});

describe('failures', () => {
  test('one pod that cannot be read costs only its own lines', async () => {
    const reply = await read({ 'db-0': 'Forbidden', 'db-1': '2026-01-05T12:00:01Z a' });
    expect(reply.ok && reply.value).toHaveLength(1);
  });

  test.each([
    ['Forbidden', 'Unauthorized'],
    ['Timeout', 'Timeout'],
    ['Unavailable', 'Unreachable'],
    ['Unknown', 'BadReply'],
  ])('all fail with %s: %s', async (fault, kind) => {
    expect(await read({ 'db-0': fault, 'db-1': fault })).toMatchObject({ ok: false, error: { kind } });
  });

  test('pods that are gone have no lines, and that is no failure', async () => {
    expect(await read({ 'db-0': 'NotFound' })).toEqual({ ok: true, value: [] });
  });
});

describe('choice of the source', () => {
  const named = (name: string) => ({
    read: () =>
      Promise.resolve({ ok: true as const, value: [{ atMs: 1, level: 'info' as const, message: name, service: '' }] }),
  });
  const chosen = async (sources: Parameters<typeof createLogSource>[0], from?: 'Kubernetes' | 'Loki') => {
    const reply = await createLogSource(sources)?.read('n', [], 0, 1, from);
    return reply?.ok === true ? reply.value[0]?.message : undefined;
  };
  test.each([
    ['the one that the policy names', { Kubernetes: named('k'), Loki: named('l') }, 'Loki', 'l'],
    ['Kubernetes where the policy names none', { Kubernetes: named('k'), Loki: named('l') }, undefined, 'k'],
    ['the one that there is', { Kubernetes: named('k') }, 'Loki', 'k'],
    ['nothing where there is none', {}, 'Loki', undefined],
  ] as const)('%s', async (_, sources, from, expected) => {
    expect(await chosen(sources, from)).toBe(expected);
  });
});
