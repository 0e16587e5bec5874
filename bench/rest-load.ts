import { connect, type Socket } from 'node:net';

/** What a load run measured. */
export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  /** Of each request, ascending. */
  readonly latenciesMs: Float64Array;
}

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Ends by whichever comes first. */
  readonly durationMs: number;
  readonly mostRequests?: number;
  /** Whole requests, sent in turn. */
  readonly requests: readonly LoadRequest[];
}

/**
 * A request as bytes, and where its time stamps and names stand: each sending is a second later than the one before, and
 * of a new name.
 */
export interface LoadRequest {
  readonly bytes: Buffer;
  readonly timestampsAt: readonly number[];
  readonly namesAt: readonly number[];
}

/** Stands for a time stamp in a body. */
export const TIMESTAMP = '0000-00-00T00:00:00.000Z';
/** Stands for a name that is different each time. */
export const NAME = 'pod-0000000000';
/** The first time stamp: long enough ago that a second a request never reaches the future. */
let clockMs = Date.now() - 90 * 86_400_000;
let names = 0;

/** One request after the other on each kept-alive connection; as little work per answer as possible. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  const most = load.mostRequests ?? Infinity;
  const startMs = performance.now();
  const endMs = startMs + load.durationMs;
  let next = 0;
  const take = (): Buffer | undefined => {
    if (next >= most || performance.now() >= endMs) return undefined;
    const request = load.requests[next++ % load.requests.length];
    return request === undefined ? undefined : stamped(request);
  };
  await Promise.all(
    Array.from({ length: load.connections }, () =>
      converse(connect({ port: load.port, host: '127.0.0.1', noDelay: true }), take, (tookMs) => {
        latencies.push(tookMs);
      }),
    ),
  );
  const tookMs = performance.now() - startMs;
  return {
    requests: latencies.length,
    perSecond: (latencies.length * 1000) / tookMs,
    latenciesMs: Float64Array.from(latencies).sort(),
  };
}

function stamped({ bytes, timestampsAt, namesAt }: LoadRequest): Buffer {
  const timestamp = new Date((clockMs += 1_000)).toISOString();
  for (const at of timestampsAt) bytes.write(timestamp, at, 'latin1');
  if (namesAt.length === 0) return bytes;
  const name = `pod-${String((names += 1)).padStart(NAME.length - 4, '0')}`;
  for (const at of namesAt) bytes.write(name, at, 'latin1');
  return bytes;
}

/** Throws for an answer that is no success: what refuses is fast. */
function converse(socket: Socket, take: () => Buffer | undefined, onAnswer: (tookMs: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentMs = 0;
    let buffered: Buffer = Buffer.alloc(0);
    const send = (): void => {
      const bytes = take();
      sentMs = performance.now();
      if (bytes === undefined) socket.end();
      else socket.write(bytes);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.on('data', (chunk: Buffer) => {
      buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
      const size = answerSize(buffered);
      if (size === undefined || buffered.length < size) return;
      const status = buffered.toString('latin1', 9, 12);
      if (status !== '200') {
        socket.destroy(new Error(`the answer was ${status}: ${buffered.toString('utf8').slice(-300)}`));
        return;
      }
      onAnswer(performance.now() - sentMs);
      buffered = buffered.subarray(size);
      send();
    });
  });
}

/** Bytes of the first answer in the buffer; `undefined` while its head is not whole. */
function answerSize(buffer: Buffer): number | undefined {
  const headEnd = buffer.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(buffer.toString('latin1', 0, headEnd))?.[1];
  return headEnd + 4 + Number(length ?? 0);
}

/** A request with its head. */
export function aRequest(method: string, path: string, key: string, body = ''): LoadRequest {
  const head = [
    `${method} ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    `x-api-key: ${key}`,
    ...(body === '' ? [] : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]),
    '',
    '',
  ];
  const bytes = Buffer.from(head.join('\r\n') + body);
  return { bytes, timestampsAt: placesOf(TIMESTAMP, bytes), namesAt: placesOf(NAME, bytes) };
}

function placesOf(text: string, bytes: Buffer): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) places.push(at);
  return places;
}
