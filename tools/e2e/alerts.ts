import { createServer } from 'node:http';
import { z } from 'zod';

/** One alert as Alertmanager knows it: its labels are its identity. */
export interface Alert {
  readonly incident: string;
  readonly workload: string;
  readonly summary: string;
  readonly failureType: string;
  readonly advice: string;
  readonly firstSeenMs: number;
  /** When it was told that it is over; undefined: it is not. */
  readonly resolvedMs?: number;
}

const posted = z.array(
  z.object({
    labels: z.object({ incident: z.string(), workload: z.string() }),
    annotations: z.object({
      summary: z.string(),
      failure_type: z.string(),
      advice: z.string().default(''),
    }),
    endsAt: z.string(),
  }),
);

/** Stands where Alertmanager would: takes alerts by its API (version 2) and keeps one of each identity. */
export class AlertReceiver {
  readonly #alerts = new Map<string, Alert>();

  all(): readonly Alert[] {
    return [...this.#alerts.values()];
  }

  listen(host: string, port: number): Promise<void> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        const isAlerts = request.method === 'POST' && request.url === '/api/v2/alerts';
        const parsed = isAlerts ? posted.safeParse(JSON.parse(body)) : undefined;
        for (const alert of parsed?.data ?? []) this.#take(alert, Date.now());
        response.writeHead(parsed?.success === true ? 200 : 400).end();
      });
    });
    return new Promise((resolve) => server.listen(port, host, resolve));
  }

  #take({ labels, annotations, endsAt }: z.output<typeof posted>[number], nowMs: number): void {
    const key = JSON.stringify(labels);
    const isOver = Date.parse(endsAt) <= nowMs;
    this.#alerts.set(key, {
      ...{ incident: labels.incident, workload: labels.workload },
      ...{ summary: annotations.summary, failureType: annotations.failure_type, advice: annotations.advice },
      firstSeenMs: this.#alerts.get(key)?.firstSeenMs ?? nowMs,
      ...(isOver && { resolvedMs: nowMs }),
    });
  }
}
