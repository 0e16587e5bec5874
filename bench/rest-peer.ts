import express from 'express';
import fastify from 'fastify';
import type { AddressInfo } from 'node:net';

/** A bare echo route in a process of its own, so that its processor time is its own: `express` or `fastify`. */
const [kind] = process.argv.slice(2);
const LIMIT_BYTES = 2 * 1024 * 1024;

function bareExpress(): Promise<number> {
  const app = express();
  app.use(express.json({ limit: LIMIT_BYTES }));
  app.post('/echo', (request, response) => void response.json(request.body));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function bareFastify(): Promise<number> {
  const app = fastify({ bodyLimit: LIMIT_BYTES });
  app.post('/echo', (request, reply) => reply.send(request.body));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}

const port = await (kind === 'fastify' ? bareFastify() : bareExpress());
process.on('disconnect', () => process.exit(0));
process.send?.({ port });
