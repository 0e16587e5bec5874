import { connect } from 'node:net';

/** What a socket got, and whether the other side closed it. */
export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  readonly closed: boolean;
  readonly text: string;
}

/**
 * Writes bytes to a port and gathers what comes back until the other side closes or, once all was sent, `patienceMs` is
 * over. `later` are further pieces, one each `everyMs`.
 */
export function rawExchange(
  port: number,
  bytes: string | Buffer,
  more: {
    readonly patienceMs?: number;
    readonly later?: readonly string[];
    readonly everyMs?: number;
    /** Goes away as soon as the answer begins. */
    readonly leavesAtFirstByte?: boolean;
  } = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    let settled = false;
    const finish = (closed: boolean): void => {
      if (settled) return;
      settled = true;
      clearTimeout(patience);
      clearInterval(drip);
      socket.destroy();
      const [head = '', ...rest] = text.split('\r\n\r\n');
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
      resolve({ status, head, body: rest.join('\r\n\r\n'), closed, text });
    };
    let patience: NodeJS.Timeout | undefined;
    const pieces = [...(more.later ?? [])];
    const drip = setInterval(() => {
      const piece = pieces.shift();
      if (piece !== undefined && !socket.destroyed) socket.write(piece);
    }, more.everyMs ?? 50);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (more.leavesAtFirstByte === true) finish(false);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => finish(true));
    socket.write(bytes, () => (patience = setTimeout(() => finish(false), more.patienceMs ?? 2_000)));
  });
}

/** A client that sends its request and then reads nothing at all. */
export function deafClient(port: number, bytes: string): { close(): void } {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(bytes);
  return { close: () => socket.destroy() };
}
