import express from 'express';
import type { AddressInfo } from 'node:net';
import { EventFeed } from '../src/controller/event-feed.ts';
import { NO_APPROVALS } from '../src/controller/approvals.ts';
import { EMPTY_VIEW } from '../src/controller/operator-view.ts';
import { createDetectionService } from '../src/controller/detection-service.ts';
import { createEngine } from '../src/detection/engine.ts';
import { apiKey } from '../src/http/access/api-key.ts';
import { createHttpServer } from '../src/http/server.ts';
import { createSqliteStore } from '../src/store/store.ts';
import { systemClock } from '../src/system-clock.ts';
import { createLogger } from '../src/telemetry/logger.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';

/**
 * A server in a process of its own, so that its memory and processor time are its own: `express`, the bare echo route
 * that is the measure, or `aegis` on a database file, with keys, validation, scoring and storing on.
 */
const [kind, file = ':memory:', key = ''] = process.argv.slice(2);

async function aegis(): Promise<number> {
  const clock = systemClock;
  const log = createLogger({ level: 'warn', write: (line) => process.stderr.write(line) });
  const metrics = createMetrics({ log, version: 'bench', processMetrics: true });
  const store = await createSqliteStore({ file, clock, log, metrics });
  const service = createDetectionService({
    engine: createEngine({ seed: 1 }),
    scratch: createEngine({ seed: 2 }),
    anomalyThreshold: 0.85,
    minSamples: 100,
    failureWindowMs: 300_000,
  });
  const server = createHttpServer(
    {
      ...{
        service,
        store,
        view: EMPTY_VIEW,
        approvals: NO_APPROVALS,
        metrics,
        metricsPage: metrics,
        problems: () => [],
        clock,
        log,
      },
      ...{ feed: new EventFeed({ clock, process: 'bench' }), failureWindowMs: 300_000 },
    },
    {
      host: '127.0.0.1',
      port: 0,
      keys: { kind: 'configured', keys: [apiKey('bench', key)] },
      // The limit itself is not what is measured; its counting stays on.
      rate: { perKey: 1_000_000, perAddress: 1_000_000 },
    },
  );
  const listening = await server.listen();
  if (!listening.ok) throw new Error(listening.error);
  return listening.value.port;
}

function bareExpress(): Promise<number> {
  const app = express();
  app.use(express.json({ limit: '2mb' }));
  app.post('/echo', (request, response) => void response.json(request.body));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

const port = await (kind === 'express' ? bareExpress() : aegis());
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }));
process.on('disconnect', () => process.exit(0));
process.send?.({ port });
