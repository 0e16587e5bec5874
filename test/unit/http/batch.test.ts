import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { anApi, aLine, aMetric, KEY, type Api } from '../../support/builders/http.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { rawExchange } from '../../support/raw-http.ts';
import { eventually } from '../../support/scripted-api.ts';

let api: Api;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.stop());

const ANOMALY = '/api/v1/detect-anomaly/batch';
const FAILURE = '/api/v1/detect-failure/batch';
const line = (over: Record<string, unknown> = {}): string => JSON.stringify({ metrics: [aMetric(over)] });
const ndjson = { headers: { 'content-type': 'application/x-ndjson' } };

interface Answered {
  readonly line: number;
  readonly status: number;
  readonly id?: string;
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly problem?: Readonly<Record<string, unknown>> & { readonly detail: readonly { readonly loc: unknown }[] };
}

async function batch(path: string, body: string | Buffer): Promise<readonly Answered[]> {
  const answer = await api.call(path, { method: 'POST', body, ...ndjson });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
  expect(answer.text === '' || answer.text.endsWith('\n')).toBe(true);
  return answer.text
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Answered);
}

describe('a batch', () => {
  test('answers each line as the single route would, in order, and records it', async () => {
    const values = [95, 35, 97];
    const answers = await batch(
      ANOMALY,
      values.map((value) => line({ value, labels: { pod: `p-${value}` } })).join('\n'),
    );
    expect(answers.map((one) => [one.line, one.status, one.answer?.['is_anomaly']])).toEqual([
      [1, 200, true],
      [2, 200, false],
      [3, 200, true],
    ]);
    const single = await api.post('/api/v1/detect-anomaly', line({ value: 95, labels: { pod: 'single' } }));
    const known = answers[0]?.answer as { details: { features: unknown } };
    expect(Object.keys(known)).toEqual(Object.keys(single.json));
    const { predictions } = (await api.call('/api/v1/metrics/predictions?limit=4')).json;
    const ids = (predictions as unknown as readonly { id: string }[]).map(({ id }) => id);
    expect(ids.slice(1)).toEqual(answers.map(({ id }) => id).reverse());
  });

  test('a failure a line', async () => {
    const body = JSON.stringify({ metrics: [], logs: [aLine()] });
    const [answered] = await batch(FAILURE, `${body}\n`);
    expect(answered?.answer).toMatchObject({ failure_type: 'connection_timeout' });
  });

  const rows: readonly (readonly [what: string, bad: string | Buffer, status: number, loc: unknown])[] = [
    ['that is no JSON', '{"metrics":', 422, ['body']],
    ['that is invalid', '{"metrics":[]}', 422, ['body', 'metrics']],
    ['with a forbidden key', '{"__proto__":{}}', 422, ['body', '__proto__']],
    ['with half a surrogate pair', '{"metrics":[{"labels":{"\\ud800":5}}]}', 422, undefined],
    ['that is nested too deep', '['.repeat(20), 422, ['body', 16]],
    ['that is no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 422, ['body']],
    ['longer than 2 MiB', Buffer.alloc(2 * 1024 * 1024 + 1, 0x20), 413, undefined],
  ];
  test.each(rows)('a line %s gets a problem line, and the rest goes on', async (_what, bad, status, loc) => {
    const body = Buffer.concat([Buffer.from(`${line()}\n`), Buffer.from(bad), Buffer.from(`\n${line()}\n`)]);
    const answers = await batch(ANOMALY, body);
    expect(answers.map((one) => [one.line, one.status])).toEqual([
      [1, 200],
      [2, status],
      [3, 200],
    ]);
    expect(answers[1]?.problem).toMatchObject({ status, title: expect.any(String) as unknown });
    if (loc !== undefined) expect(answers[1]?.problem?.detail[0]?.loc).toEqual(loc);
  });

  test('blank lines and both kinds of line ends are no lines; they count', async () => {
    const answers = await batch(ANOMALY, `\n${line()}\r\n\r\n  \n${line()}`);
    expect(answers.map((one) => [one.line, one.status])).toEqual([
      [2, 200],
      [5, 200],
    ]);
  });

  test('an empty body has an empty answer', async () => {
    expect(await batch(ANOMALY, '')).toEqual([]);
  });

  test.each(['application/json', 'text/plain', 'application/x-ndjson; charset=utf-16'])('%s -> 415', async (type) => {
    const answer = await api.call(ANOMALY, { method: 'POST', body: line(), headers: { 'content-type': type } });
    expect(answer.status).toBe(415);
  });

  test('the key comes first', async () => {
    const answer = await api.call(ANOMALY, { method: 'POST', body: line(), headers: { 'x-api-key': null } });
    expect(answer.status).toBe(401);
  });
});

describe('streaming', () => {
  test('an answer comes before the next line is sent', async () => {
    const seen: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const sent = httpRequest(
        {
          port: api.port,
          host: '127.0.0.1',
          path: ANOMALY,
          method: 'POST',
          headers: { 'x-api-key': KEY, ...ndjson.headers },
        },
        (response) => {
          response.setEncoding('utf8').on('data', (text: string) => {
            seen.push(text);
            if (seen.length < 3) sent.write(`${line()}\n`);
            else sent.end();
          });
          response.on('end', resolve);
        },
      );
      sent.on('error', reject);
      sent.write(`${line()}\n`);
    });
    expect(seen.map((text) => (JSON.parse(text) as Answered).line)).toEqual([1, 2, 3]);
  });

  test('thousands of lines are all answered and stored, and others are served meanwhile', async () => {
    const many = 5_000;
    const before = (await api.call('/api/v1/metrics/stats')).json['total_predictions'] as unknown as number;
    let isDone = false;
    const running = batch(ANOMALY, `${line()}\n`.repeat(many)).finally(() => (isDone = true));
    let others = 0;
    while (!isDone) others += (await api.call('/ping')).status === 200 ? 1 : 0;
    expect((await running).filter(({ status }) => status === 200)).toHaveLength(many);
    expect(others).toBeGreaterThan(5);
    const after = (await api.call('/api/v1/metrics/stats')).json['total_predictions'] as unknown as number;
    expect(after - before).toBe(many);
  });

  test('a client that goes away in the middle ends it; room for the next ones comes back', async () => {
    const head = `POST ${ANOMALY} HTTP/1.1\r\nhost: x\r\nx-api-key: ${KEY}\r\ncontent-type: application/x-ndjson\r\n`;
    for (let i = 0; i < 20; i += 1) {
      const half = `${head}content-length: 100000\r\n\r\n${line()}\n`;
      expect((await rawExchange(api.port, half, { patienceMs: 20_000, leavesAtFirstByte: true })).status).toBe(200);
    }
    expect(await batch(ANOMALY, line())).toHaveLength(1);
  });

  test('more batches at once than there is room for are refused', async () => {
    const started: { end(): void }[] = [];
    const begin = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { 'x-api-key': KEY, ...ndjson.headers };
        const sent = httpRequest({ port: api.port, host: '127.0.0.1', path: ANOMALY, method: 'POST', headers }, (got) =>
          resolve(got.resume().statusCode ?? 0),
        );
        started.push(sent);
        sent.on('error', reject);
        sent.write(`${line()}\n`);
      });
    const statuses = await Promise.all(Array.from({ length: 9 }, begin));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([...Array.from({ length: 8 }, () => 200), 429]);
    for (const one of started) one.end();
  });
});

describe('a batch that does not end by itself', () => {
  const head = `POST ${ANOMALY} HTTP/1.1\r\nhost: x\r\nx-api-key: ${KEY}\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n`;
  const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

  /** Sends a whole line, then blanks without end, and gathers what comes until the connection is closed. */
  async function dripping(own: Api, clock: FakeClock) {
    const socket = connect(own.port, '127.0.0.1');
    let text = '';
    let isClosed = false;
    socket.on('data', (piece: Buffer) => (text += piece.toString('latin1'))).on('error', () => undefined);
    socket.on('close', () => (isClosed = true));
    socket.write(head + chunk(`${line()}\n`));
    await eventually(() => text.includes('"line":1'));
    const drip = setInterval(() => socket.write(chunk(' ')), 5);
    const untilClosed = async (): Promise<string> => {
      try {
        await clock.until(() => isClosed);
      } finally {
        clearInterval(drip);
        socket.destroy();
      }
      return text;
    };
    return { untilClosed };
  }

  test('because its client sends no whole line any more is given up after 30 s, with its connection', async () => {
    const clock = fakeClock();
    const own = await anApi({ deps: { clock } });
    const client = await dripping(own, clock);
    expect(await client.untilClosed()).toMatch(/\{"line":2,"status":408,"problem":\{.*\}\}\n\r\n0\r\n\r\n$/);
    await own.stop();
  });

  test('when the server stops is told which line was the last, and every answer before it stands', async () => {
    const clock = fakeClock();
    const own = await anApi({ deps: { clock } });
    const client = await dripping(own, clock);
    const stopped = own.stop();
    const startMs = clock.monotonicMs();
    expect(await client.untilClosed()).toMatch(/\{"line":2,"status":503,"problem":\{.*\}\}\n\r\n0\r\n\r\n$/);
    expect(clock.monotonicMs() - startMs).toBeLessThan(10_000);
    await stopped;
  });
});
