/**
 * The sample application: answers requests one after the other, each with some work for the processor, and falls ill on
 * command.
 *
 *   GET  /            200 after the work; 503 when too many wait already; 500 for a share of requests where the release is broken
 *   GET  /ready       200, for the kubelet
 *   GET  /metrics     what Prometheus reads
 *   POST /leak?bytesPerSecond=N   memory is asked for and never given back, from now on
 *
 * Settings: CPU_MS (work for a request), BROKEN_PERCENT (a release that answers 500 to that share), PORT.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Page } from './page.ts';
import { burn, Leak } from './work.ts';

const { CPU_MS = '1', BROKEN_PERCENT = '0', PORT = '8080' } = process.env;
const cpuMs = Number(CPU_MS);
const brokenShare = Number(BROKEN_PERCENT) / 100;

/** So many requests may wait; the next ones are turned away, as a server with a bounded queue does. */
const MAX_WAITING = 100;

interface Waiting {
  readonly response: ServerResponse;
  readonly since: number;
}

const page = new Page();
const leak = new Leak();
const waiting: Waiting[] = [];
let served = 0;

function answer({ response, since }: Waiting, status: number): void {
  page.observe(status, (performance.now() - since) / 1000);
  if (status >= 500) process.stdout.write(`error: request failed with status ${status}\n`);
  response.writeHead(status, { 'content-type': 'text/plain' }).end(`${status}\n`);
}

/**
 * The loop takes one new connection a turn, and reads from it in the next. With one request a turn those to come would wait where
 * nobody sees them, in the kernel; a server with threads would have read them by now.
 */
const TURNS_BETWEEN = 8;

function afterTurns(turns: number, next: () => void): void {
  setImmediate(() => (turns <= 1 ? next() : afterTurns(turns - 1, next)));
}

/** One at a time; between two of them the loop looks after new connections, probes and scrapes. */
function serveNext(): void {
  const next = waiting.shift();
  if (next === undefined) return;
  burn(cpuMs);
  served += 1;
  // Every so manieth request, not a random one: a release is broken for some input, not by chance.
  const isBroken = Math.floor(served * brokenShare) > Math.floor((served - 1) * brokenShare);
  answer(next, isBroken ? 500 : 200);
  if (waiting.length > 0) afterTurns(TURNS_BETWEEN, serveNext);
}

function receive(response: ServerResponse): void {
  const request = { response, since: performance.now() };
  if (waiting.length >= MAX_WAITING) return answer(request, 503);
  waiting.push(request);
  if (waiting.length === 1) setImmediate(serveNext);
}

function route(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://app');
  const text = (status: number, body: string): void =>
    void response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4' }).end(body);
  if (url.pathname === '/ready') return text(200, 'ready\n');
  if (url.pathname === '/metrics') return text(200, page.render());
  if (url.pathname === '/leak' && request.method === 'POST') {
    leak.start(Number(url.searchParams.get('bytesPerSecond')));
    return text(204, '');
  }
  if (url.pathname !== '/') return text(404, 'no such page\n');
  receive(response);
}

const server = createServer(route);
server.listen(Number(PORT), () => process.stdout.write(`listening on ${PORT}, release ${brokenShare > 0 ? 2 : 1}\n`));
// What has come in is answered; the pause before the signal (preStop) is what keeps new requests away.
process.on('SIGTERM', () => server.close(() => process.exit(0)));
