import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTracing, parseTraceparent, type Tracing } from '../../../src/telemetry/tracing.ts';
import { anApi, aMetric } from '../../support/builders/http.ts';
import { recordedLog } from '../../support/recorders.ts';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly status?: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly spans: readonly Span[];
}

/** A collector that keeps what it is sent. */
async function aCollector(): Promise<{ readonly url: string; readonly sent: Sent[]; readonly server: Server }> {
  const sent: Sent[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const body = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
      const spans = body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
      sent.push({ path: request.url ?? '', headers: request.headers, spans });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent, server };
}

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const attribute = ({ attributes }: Span, key: string): unknown =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0];

describe('traces', () => {
  test('a request becomes a span by its route, in the trace of its caller, and is sent with the headers', async () => {
    const collector = await aCollector();
    open.push(collector.server);
    const headers = { authorization: 'Bearer x' };
    const tracing = await createTracing({
      endpoint: `${collector.url}/`,
      headers,
      ratio: 1,
      version: '1',
      log: recordedLog(),
    });
    const api = await anApi({ deps: { tracer: tracing } });
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const body = { metrics: [aMetric()] };
    const answer = await api.post('/api/v1/detect-anomaly', body, { headers: { traceparent } });
    await api.call('/api/v1/decisions/secret-name');
    await api.call('/nothing/at/all');
    await api.stop();
    await tracing.stop();
    const spans = collector.sent.flatMap((one) => one.spans);
    expect(spans.map((span) => [span.name, attribute(span, 'http.response.status_code')])).toEqual([
      ['POST /api/v1/detect-anomaly', 200],
      ['GET /api/v1/decisions/{id}', 404],
      ['GET none', 404],
    ]);
    expect(spans[0]).toMatchObject({ traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16) });
    expect(attribute(spans[0] as Span, 'aegis.request_id')).toBe(answer.headers.get('x-request-id'));
    expect(collector.sent[0]).toMatchObject({ path: '/v1/traces', headers: { authorization: 'Bearer x' } });
    expect(JSON.stringify(spans)).not.toContain('secret-name');
  });

  test('a trace that its caller does not record is not recorded', async () => {
    const collector = await aCollector();
    open.push(collector.server);
    const tracing = await createTracing({
      endpoint: collector.url,
      headers: {},
      ratio: 1,
      version: '1',
      log: recordedLog(),
    });
    tracing
      .begin({
        method: 'GET',
        route: '/ping',
        requestId: 'r',
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`,
      })
      .end(200);
    await tracing.stop();
    expect(collector.sent).toEqual([]);
  });

  test('a collector that is away costs its traces, and a line', async () => {
    const log = recordedLog();
    const tracing: Tracing = await createTracing({
      endpoint: 'http://127.0.0.1:9',
      headers: {},
      ratio: 1,
      version: '1',
      log,
    });
    tracing.begin({ method: 'GET', route: '/ping', requestId: 'r' }).end(500);
    await tracing.stop();
    expect(log.lines.filter(({ level }) => level === 'warn').length).toBeGreaterThan(0);
  });
});

describe('traceparent', () => {
  const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
  const rows: readonly (readonly [text: string, isOne: boolean])[] = [
    [`00-${trace}-${span}-01`, true],
    [`cc-${trace}-${span}-01-what-the-future-holds`, true],
    [`ff-${trace}-${span}-01`, false],
    [`00-${'0'.repeat(32)}-${span}-01`, false],
    [`00-${trace}-${'0'.repeat(16)}-01`, false],
    [`00-${trace.toUpperCase()}-${span}-01`, false],
    ['', false],
  ];
  test.each(rows)('%s: %s', (text, isOne) => {
    expect(parseTraceparent(text) !== undefined).toBe(isOne);
  });
});
