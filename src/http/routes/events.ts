import type { FedEvent } from '../../controller/event-feed.ts';
import type { KeyRing } from '../access/api-key.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { refusalReply, refuse } from '../reply.ts';
import type { StreamCall, StreamRoute } from '../route.ts';
import { feedEvent } from '../schemas/responses.ts';

const MAX_STREAMS = 100;
const HEARTBEAT_MS = 15_000;
/** Bytes that may wait for a reader; one that is further behind is cut off, and comes back with `Last-Event-ID`. */
const MAX_BEHIND_BYTES = 256 * 1024;

/** The stream of events, and the way to end all of them when the server stops. */
export interface EventStreams {
  readonly route: StreamRoute;
  endAll(): void;
}

/** Server-sent events: what the operator does and what detection finds, as it happens. */
export function createEventStreams(
  { feed, clock, metrics }: Pick<HttpDependencies, 'feed' | 'clock' | 'metrics'>,
  ring: Pick<KeyRing, 'holds'>,
): EventStreams {
  const open = new Set<() => void>();

  const follow = ({ request, response, caller, head }: StreamCall): Promise<void> => {
    response.writeHead(200, [
      ...[...head, 'content-type', 'text/event-stream; charset=utf-8'],
      // Proxies that gather answers would hold events back.
      ...['cache-control', 'no-store', 'x-accel-buffering', 'no'],
    ]);
    const lastId = request.headers['last-event-id'];
    const missed = typeof lastId === 'string' && lastId !== '' ? feed.since(lastId) : { events: [], hasGap: false };
    // Whoever comes back from here goes on from here, even if nothing happened meanwhile.
    const position = missed.events.length === 0 ? `id: ${feed.position()}\n` : '';
    response.write(`retry: 3000\n${position}${missed.hasGap ? resetAt(clock.nowMs()) : ''}\n`);
    response.write(missed.events.map(textOf).join(''));
    return new Promise((resolve) => {
      let cancelHeartbeat: () => void;
      const end = (): void => {
        if (!open.delete(end)) return;
        leave();
        cancelHeartbeat();
        metrics.gauge('aegis_event_streams', open.size);
        response.end();
        resolve();
      };
      const tell = (text: string): void => {
        response.write(text);
        if (response.writableLength <= MAX_BEHIND_BYTES) return;
        metrics.count('aegis_event_streams_dropped_total');
        end();
        response.destroy();
      };
      const leave = feed.subscribe((event) => tell(textOf(event)));
      const beat = (): void => {
        cancelHeartbeat = clock.after(HEARTBEAT_MS, beat);
        // A key that was taken away meanwhile ends its streams.
        if (ring.holds(caller, 'read', clock.nowMs())) tell(': heartbeat\n\n');
        else end();
      };
      cancelHeartbeat = clock.after(HEARTBEAT_MS, beat);
      open.add(end);
      metrics.gauge('aegis_event_streams', open.size);
      response.once('close', end);
    });
  };

  return {
    route: {
      method: 'GET',
      path: '/api/v1/events',
      access: 'read',
      tag: 'operator',
      summary: 'What happens, as it happens (server-sent events)',
      headers: { 'Last-Event-ID': 'Id of the last event that was seen: what came after it is told first.' },
      answer: {
        contentType: 'text/event-stream',
        schema: feedEvent,
        description:
          'Each event has an id, its type and JSON data. `Reset`: events were missed that are not remembered, read the ' +
          'state anew. A comment comes every 15 s.',
      },
      refusals: ['tooManyStreams'],
      stream: async (call) => {
        if (open.size < MAX_STREAMS) return follow(call);
        refuse(call.response, refusalReply('tooManyStreams', { 'retry-after': '10' }), call.head);
      },
    },
    endAll: () => {
      for (const end of [...open]) end();
    },
  };
}

/** JSON has no line feed of its own, so the data are one line. */
const textOf = ({ id, atMs, type, data }: FedEvent): string =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ at: new Date(atMs).toISOString(), ...data })}\n\n`;

const resetAt = (nowMs: number): string =>
  `event: Reset\ndata: ${JSON.stringify({ at: new Date(nowMs).toISOString() })}\n`;
