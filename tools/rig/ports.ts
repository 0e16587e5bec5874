import { createServer, type Server } from 'node:net';

/** Below Linux' ephemeral range (32768 up), so that no outgoing connection takes a port between choice and use. */
const FIRST = 20_000;
const LAST = 32_000;

/**
 * Distinct free ports on 127.0.0.1. All are held open together before any is released, so one call never returns the
 * same port twice; the random start keeps two rigs that start at the same moment apart.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  for (let attempt = 0; ports.length < count && attempt < 500; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const server = await hold(port);
    if (server === undefined) continue;
    held.push(server);
    ports.push(port);
  }
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  if (ports.length < count) throw new Error(`found only ${ports.length} of ${count} free ports in ${FIRST}-${LAST}`);
  return ports;
}

function hold(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
