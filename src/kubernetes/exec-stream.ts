import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/thrown.ts';
import type { Passport } from './credentials.ts';
import { at, list, record, text } from './json.ts';
import { type Answer, ExchangeFault } from './transport.ts';

/** How a command ended. `output` is the end of what it wrote. */
export interface ExecResult {
  readonly exitCode: number;
  readonly output: string;
}

/** What the API server did with the request: ran the command, or answered instead. */
export type ExecEnd =
  { readonly kind: 'ran'; readonly result: ExecResult } | { readonly kind: 'refused'; readonly answer: Answer };

const PROTOCOL = 'v4.channel.k8s.io';
/** RFC 6455, 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const LARGEST_FRAME = 1024 * 1024;
const KEPT_OUTPUT = 512;

const CHANNEL = { stdout: 1, stderr: 2, status: 3 } as const;
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/**
 * Runs a command over a WebSocket (RFC 6455; channels of `v4.channel.k8s.io`): no stdin, no terminal. Resolves when the
 * server has said how it ended; throws `ExchangeFault` where it has not, with whether the command may have been begun.
 */
export async function execStream(
  passport: Passport,
  outgoing: { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly deadlineMs: number },
  clock: Clock,
): Promise<ExecEnd> {
  const { server, agent, headers } = passport;
  const key = randomBytes(16).toString('base64');
  const request = (server.protocol === 'https:' ? https : http).request({
    agent,
    method: 'GET',
    hostname: server.hostname.replace(/^\[|\]$/g, ''),
    port: server.port,
    path: server.pathname.replace(/\/$/, '') + outgoing.path,
    headers: {
      ...{ ...outgoing.headers, ...headers },
      ...{ Connection: 'Upgrade', Upgrade: 'websocket' },
      ...{ 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Protocol': PROTOCOL },
    },
  });
  let ending: Error | undefined;
  let isSent = false;
  let socket: Duplex | undefined;
  const cancel = clock.after(outgoing.deadlineMs, () => {
    ending = Object.assign(new Error(`no end within ${outgoing.deadlineMs} ms`), { name: 'TimeoutError' });
    request.destroy();
    socket?.destroy();
  });
  request.once('finish', () => (isSent = true));
  try {
    const opened = await open(request, key);
    if ('answer' in opened) return { kind: 'refused', answer: opened.answer };
    socket = opened.socket;
    return { kind: 'ran', result: await readResult(opened.socket, opened.head) };
  } catch (thrown) {
    throw new ExchangeFault(ending ?? thrown, isSent, false);
  } finally {
    cancel();
    socket?.destroy();
  }
}

type Opened = { readonly socket: Duplex; readonly head: Buffer } | { readonly answer: Answer };

function open(request: http.ClientRequest, key: string): Promise<Opened> {
  const accept = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64');
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.once('close', () => reject(new Error('the connection was closed')));
    request.once('upgrade', (response, socket, head) => {
      socket.on('error', () => undefined); // told by the stream's end
      if (response.headers['sec-websocket-accept'] === accept) return resolve({ socket, head });
      socket.destroy();
      reject(new Error('the server answered another handshake'));
    });
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= LARGEST_FRAME) chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const retryAfter = response.headers['retry-after'];
        const body = Buffer.concat(chunks).toString('utf8');
        resolve({
          answer: { status: response.statusCode ?? 0, body, ...(retryAfter !== undefined && { retryAfter }) },
        });
      });
    });
    request.end();
  });
}

/** Reads frames until the status channel has spoken. */
function readResult(socket: Duplex, head: Buffer): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const frames = new FrameReader();
    let output = '';
    const take = (bytes: Buffer): void => {
      try {
        for (const { opcode, payload } of frames.read(bytes)) {
          if (opcode === OPCODE.ping) socket.write(maskedFrame(OPCODE.pong, payload));
          if (opcode === OPCODE.close) reject(new Error('the server closed before it said how the command ended'));
          if (opcode !== OPCODE.binary && opcode !== OPCODE.text) continue;
          const [channel] = payload;
          const said = payload.subarray(1).toString('utf8');
          if (channel === CHANNEL.status) {
            socket.write(maskedFrame(OPCODE.close, Buffer.from([0x03, 0xe8])));
            return resolve({ exitCode: exitCodeOf(said), output: output.trim() });
          }
          if (channel === CHANNEL.stdout || channel === CHANNEL.stderr) output = (output + said).slice(-KEPT_OUTPUT);
        }
      } catch (thrown) {
        reject(new Error(messageOf(thrown), { cause: thrown }));
      }
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error('the connection ended before it was said how the command ended')));
    if (head.length > 0) take(head);
  });
}

/** `{"status":"Success"}`, or a failure whose cause `ExitCode` bears the number. Throws what is neither. */
function exitCodeOf(status: string): number {
  const said = record(JSON.parse(status));
  if (said.status === 'Success') return 0;
  const cause = list(at(said, 'details').causes).find((each) => record(each).reason === 'ExitCode');
  const code = Number(record(cause).message);
  if (Number.isInteger(code) && code > 0) return code;
  throw new Error(`the command could not be run: ${text(said.message).slice(0, 300) || 'no reason was given'}`);
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Frames of a server, which are not masked; fragments are put together. */
class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];
  #opcode = 0;

  read(bytes: Buffer): readonly Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { opcode, payload, isLast } = next;
      if (opcode >= OPCODE.close) {
        frames.push({ opcode, payload });
        continue;
      }
      if (opcode !== OPCODE.continuation) {
        this.#opcode = opcode;
        this.#parts = [];
      }
      this.#parts.push(payload);
      if (this.#parts.reduce((sum, { length }) => sum + length, 0) > LARGEST_FRAME)
        throw new Error('a frame is too large');
      if (isLast) frames.push({ opcode: this.#opcode, payload: Buffer.concat(this.#parts) });
    }
    return frames;
  }

  /** The next whole frame; `undefined`: not all of it has come. */
  #next(): (Frame & { readonly isLast: boolean }) | undefined {
    const bytes = this.#rest;
    if (bytes.length < 2) return undefined;
    const [first = 0, second = 0] = bytes;
    const short = second & 0x7f;
    const headLength = short === 126 ? 4 : short === 127 ? 10 : 2;
    if ((second & 0x80) !== 0) throw new Error('a server masks no frame');
    if (bytes.length < headLength) return undefined;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (length > LARGEST_FRAME) throw new Error('a frame is too large');
    if (bytes.length < headLength + length) return undefined;
    this.#rest = bytes.subarray(headLength + length);
    return {
      opcode: first & 0x0f,
      isLast: (first & 0x80) !== 0,
      payload: bytes.subarray(headLength, headLength + length),
    };
  }
}

/** A control frame of a client, masked as RFC 6455 asks of it. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const body = payload.subarray(0, 125).map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | body.length]), mask, body]);
}
