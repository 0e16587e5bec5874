import { readFile } from 'node:fs/promises';
import type { AlertMessage, Notifier, OutboundPost } from '../controller/ports.ts';
import { assertNever } from '../lib/assert-never.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { messageOf } from '../lib/thrown.ts';
import { alertmanagerSink } from './alertmanager.ts';
import { deliver, type DeliveryDeps } from './delivery.ts';
import { createGroupQueue, type GroupQueue } from './group-queue.ts';
import { pagerDutySink } from './pagerduty.ts';
import type { SinkConfig } from './sink-config.ts';
import type { Sink } from './sink.ts';
import { slackSink } from './slack.ts';
import { webhookSink } from './webhook.ts';

/** Alerts that no sink took are remembered so far; beyond it they are told when they end. */
const MAX_OWED = 10_000;

/** What the notifier takes from outside. */
export interface NotifierDeps {
  readonly post: OutboundPost;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to 1, for jitter; default `Math.random`. */
  readonly random?: () => number;
  /** Content of a credential's file; default: read from the disk for every message. */
  readonly readSecret?: (file: string) => Promise<string>;
}

/**
 * Every sink has a queue of its own, so a slow one holds up nobody but itself. `send` resolves when all named sinks have
 * taken the message or given up: after minutes, if a group's turn has to be awaited. Throws for two sinks of one name.
 */
export function createNotifier(configs: readonly SinkConfig[], deps: NotifierDeps): Notifier {
  const queues = new Map<string, GroupQueue>();
  /** Sinks to which silence means that an alert is over. */
  const lapsing = new Set(configs.filter(({ type }) => type === 'Alertmanager').map(({ name }) => name));
  const owed = createOwed();
  const delivery = { post: deps.post, clock: deps.clock, random: deps.random ?? Math.random };
  const secret = deps.readSecret ?? readSecret;
  for (const config of configs) {
    if (queues.has(config.name)) throw new Error(`two sinks are named ${config.name}`);
    const log = deps.log.child({ sink: config.name });
    queues.set(config.name, createGroupQueue(deps.clock, sender(sinkOf(config), secret, delivery, log)));
  }
  return {
    sinks: () => [...queues.keys()],
    async send(named, message, { isRepeat } = { isRepeat: false }) {
      const meant = named.length === 0 ? [...queues.keys()] : [...new Set(named)];
      const names = meant.filter((name) => !isRepeat || lapsing.has(name) || owed.has(name, message));
      const failures = await Promise.all(
        names.map((name) => queues.get(name)?.push(message) ?? Promise.resolve('not configured')),
      );
      names.forEach((name, i) => owed.note(name, message, failures[i] !== undefined));
      return {
        delivered: names.filter((_, i) => failures[i] === undefined),
        failed: names.flatMap((sink, i) => {
          const failure = failures[i];
          return failure === undefined ? [] : [{ sink, message: failure }];
        }),
      };
    },
  };
}

/** What did not reach a sink, by name and key: the next repetition brings it. */
function createOwed(): {
  has(sink: string, message: AlertMessage): boolean;
  note(sink: string, message: AlertMessage, isOwed: boolean): void;
} {
  const keys = new Set<string>();
  const keyOf = (sink: string, { key }: AlertMessage): string => `${sink} ${key}`;
  return {
    has: (sink, message) => keys.has(keyOf(sink, message)),
    note(sink, message, isOwed) {
      // What is over is not repeated: nothing would ever take it out again.
      if (!isOwed || message.status === 'resolved') keys.delete(keyOf(sink, message));
      else if (keys.size < MAX_OWED) keys.add(keyOf(sink, message));
    },
  };
}

function sinkOf(config: SinkConfig): Sink {
  switch (config.type) {
    case 'Alertmanager':
      return alertmanagerSink(config);
    case 'Slack':
      return slackSink(config);
    case 'PagerDuty':
      return pagerDutySink(config);
    case 'Webhook':
      return webhookSink(config);
    default:
      return assertNever(config);
  }
}

function sender(
  sink: Sink,
  secret: (file: string) => Promise<string>,
  delivery: DeliveryDeps,
  log: Log,
): (messages: readonly AlertMessage[]) => Promise<string | undefined> {
  return async (messages) => {
    let failure: string | undefined;
    try {
      const envelopes = await sink.envelopes(messages, { secret, nowMs: delivery.clock.nowMs() });
      for (const envelope of envelopes) failure = (await deliver(envelope, delivery)) ?? failure;
    } catch (fault) {
      failure = messageOf(fault);
    }
    if (failure === undefined) log.info('alerts delivered', { count: messages.length });
    else log.error('alerts not delivered', { count: messages.length, failure });
    return failure;
  };
}

const readSecret = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trim();
