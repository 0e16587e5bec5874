import { connect, type Socket } from 'node:net';

/** What a load run measured. */
export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Status -> answers. */
  readonly statuses: Readonly<Record<string, number>>;
}

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  /** Whole requests, sent in turn. */
  readonly requests: readonly LoadRequest[];
}

/** A request as bytes, and where its time stamps stand: each sending is a second later than the one before. */
export interface LoadRequest {
  readonly bytes: Buffer;
  readonly timestampsAt: readonly number[];
}

/** Stands for a time stamp in a body. */
export const TIMESTAMP = '0000-00-00T00:00:00.000Z';
/** The first time stamp: long enough ago that a second a request never reaches the future. */
let clockMs = Date.now() - 90 * 86_400_000;

/** One request after the other on each kept-alive connection; as little work per answer as possible. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const startMs = performance.now();
  const endMs = startMs + load.durationMs;
  let next = 0;
  const take = (): Buffer => {
    const request = load.requests[next++ % load.requests.length];
    if (request === undefined) throw new Error('there is nothing to send');
    const timestamp = new Date((clockMs += 1_000)).toISOString();
    for (const at of request.timestampsAt) request.bytes.write(timestamp, at, 'latin1');
    return request.bytes;
  };
  await Promise.all(
    Array.from({ length: load.connections }, () =>
      converse(connect({ port: load.port, host: '127.0.0.1', noDelay: true }), take, endMs, (status, tookMs) => {
        latencies.push(tookMs);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }),
    ),
  );
  const tookMs = performance.now() - startMs;
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return {
    requests: latencies.length,
    perSecond: (latencies.length * 1000) / tookMs,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    statuses,
  };
}

function converse(
  socket: Socket,
  take: () => Buffer,
  endMs: number,
  onAnswer: (status: string, tookMs: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentMs = 0;
    let buffered: Buffer = Buffer.alloc(0);
    const send = (): void => {
      sentMs = performance.now();
      socket.write(take());
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.on('data', (chunk: Buffer) => {
      buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
      const size = answerSize(buffered);
      if (size === undefined || buffered.length < size) return;
      const nowMs = performance.now();
      onAnswer(buffered.toString('latin1', 9, 12), nowMs - sentMs);
      buffered = buffered.subarray(size);
      if (nowMs < endMs) send();
      else socket.end();
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
  const timestampsAt: number[] = [];
  for (let at = bytes.indexOf(TIMESTAMP); at >= 0; at = bytes.indexOf(TIMESTAMP, at + 1)) timestampsAt.push(at);
  return { bytes, timestampsAt };
}
