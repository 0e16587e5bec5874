import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AlertMessage } from '../../../src/controller/ports.ts';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';

export type PrometheusAnswers = 'well' | 'unreachable' | 'empty' | 'partial';

/** What stands around one operator in place of what an installation has: its metrics server, its Loki, its sinks. */
export interface StandIn {
  readonly prometheusUrl: string;
  answers: PrometheusAnswers;
  /** Lines of these pods since then. */
  readonly logs: (pods: (name: string) => boolean, sinceMs: number) => readonly LogLine[];
  readonly namespace: string;
  /** Names of the Prometheus alerts that fire. */
  alerts: readonly string[];
  areSinksDown: boolean;
  readonly sent: { readonly atMs: number; readonly message: AlertMessage }[];
}

/** One server for a whole run: `/metrics` of all scenarios, and below `/s/ID/` the stand-ins of each. */
export class StandIns {
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #byId = new Map<string, StandIn>();
  /** Pages of the scenarios that run now. */
  readonly pages = new Map<string, (nowMs: number) => readonly string[]>();

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Base address of a scenario's stand-ins. */
  add(id: string, standIn: StandIn): string {
    this.#byId.set(id, standIn);
    return `http://127.0.0.1:${this.port}/s/${id}`;
  }

  remove(id: string): void {
    this.#byId.delete(id);
    this.pages.delete(id);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? '/', 'http://stand-in');
    const [, s, id = '', what = '', ...rest] = pathname.split('/');
    const body = await bodyOf(request);
    try {
      if (pathname === '/metrics') return void response.end(this.#metrics());
      const standIn = s === 's' ? this.#byId.get(id) : undefined;
      if (standIn === undefined) return void response.writeHead(404).end();
      if (what === 'prometheus')
        return await prometheus(standIn, { path: `/${rest.join('/')}${search}`, request, body }, response);
      if (what === 'loki') return void json(response, lokiReply(standIn, new URLSearchParams(search)));
      if (what === 'sink') return void response.writeHead(take(standIn, body)).end();
      response.writeHead(404).end();
    } catch (error) {
      response.destroy(error instanceof Error ? error : undefined);
    }
  }

  #metrics(): string {
    const nowMs = Date.now();
    return [...this.pages.values()].flatMap((page) => page(nowMs)).join('\n') + '\n';
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const json = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

interface Reply {
  readonly status: string;
  readonly data?: { readonly resultType?: string; readonly result?: unknown; readonly alerts?: readonly unknown[] };
  readonly warnings?: readonly string[];
}

/** Hands a question on to the real server, and makes of the answer what the scenario says. */
async function prometheus(
  standIn: StandIn,
  asked: { readonly path: string; readonly request: IncomingMessage; readonly body: string },
  response: ServerResponse,
): Promise<void> {
  if (standIn.answers === 'unreachable') return void response.destroy();
  const { request, body } = asked;
  const type = request.headers['content-type'];
  const reply = await fetch(`${standIn.prometheusUrl}${asked.path}`, {
    method: request.method ?? 'GET',
    ...(body !== '' && { body, headers: { 'content-type': type ?? 'application/x-www-form-urlencoded' } }),
  });
  const text = await reply.text();
  if (!reply.ok || !(reply.headers.get('content-type') ?? '').includes('json')) {
    return void response.writeHead(reply.status).end(text);
  }
  json(response, changed(JSON.parse(text) as Reply, standIn));
}

function changed(reply: Reply, { answers, alerts }: StandIn): Reply {
  if (reply.data?.alerts !== undefined) {
    const firing = alerts.map((alertname) => ({ labels: { alertname }, annotations: {}, state: 'firing', value: '1' }));
    return { ...reply, data: { ...reply.data, alerts: firing } };
  }
  if (answers === 'partial') return { ...reply, warnings: ['a shard did not answer'] };
  if (answers !== 'empty' || reply.data?.resultType === undefined) return reply;
  return { ...reply, data: { ...reply.data, result: [] } };
}

const NANOSECONDS = '000000';

function lokiReply({ logs, namespace }: StandIn, query: URLSearchParams): unknown {
  const sinceMs = Number((query.get('start') ?? '0').slice(0, -NANOSECONDS.length));
  const selector = query.get('query') ?? '';
  const lines = logs((pod) => selector.includes(pod), sinceMs);
  const streams = Map.groupBy(lines, ({ pod, level }) => JSON.stringify([pod, level]));
  const result = [...streams.values()].map((all) => ({
    stream: { namespace, pod: all[0]?.pod, level: all[0]?.level },
    values: all.map(({ atMs, message }) => [`${Math.round(atMs)}${NANOSECONDS}`, message]),
  }));
  return { status: 'success', data: { resultType: 'streams', result } };
}

function take(standIn: StandIn, body: string): number {
  if (standIn.areSinksDown) return 500;
  const { messages } = JSON.parse(body) as { readonly messages: readonly AlertMessage[] };
  standIn.sent.push(...messages.map((message) => ({ atMs: Date.now(), message })));
  return 204;
}
