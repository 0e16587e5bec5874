import { connect, createServer, type Socket } from 'node:net';

/** Between a client and its PostgreSQL server: it can lose the answer to a commit. */
export interface LossyProxy {
  /** The same address, by way of the proxy. */
  readonly url: string;
  /** The next commit reaches the server, its answer does not come back, and the connection ends. */
  loseNextCommit(): void;
  /** Commits whose answer was lost. */
  lost(): number;
  close(): Promise<void>;
}

export async function lossyProxy(to: string): Promise<LossyProxy> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  let losesNext = false;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    let isLosing = false;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    client.on('data', (bytes) => {
      if (losesNext && bytes.includes('commit\0')) {
        losesNext = false;
        isLosing = true;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (!isLosing) return client.write(bytes);
      lost += 1;
      return client.destroy();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(to);
  url.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: url.href,
    loseNextCommit: () => {
      losesNext = true;
    },
    lost: () => lost,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
