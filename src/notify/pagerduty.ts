import type { AlertMessage } from '../controller/ports.ts';
import type { PagerDutySinkConfig } from './sink-config.ts';
import { cut, headline, JSON_TYPE, worst, type Envelope, type Sink } from './sink.ts';

const MAX_LISTED = 50;
const MAX_REMEMBERED = 10_000;

const SEVERITY = { low: 'info', medium: 'warning', high: 'error', critical: 'critical' } as const;

/**
 * One event opens or closes one PagerDuty incident. An alert by itself uses its own key. Several that begin together
 * share one event under their group's key, closed when the last of them is over. What is shared is held in memory: after
 * a restart, or under the next leader, the end of an alert is sent under its own key, and the group's event is closed with the last end of
 * the group. PagerDuty ignores the end of an event that it does not have.
 */
export function pagerDutySink(config: PagerDutySinkConfig): Sink {
  const open = createOpenAlerts();
  return {
    name: config.name,
    async envelopes(messages, { secret }) {
      const routingKey = await secret(config.routingKeyFile);
      return open.eventsFor(messages).map((event) => toEnvelope(config.url, routingKey, event));
    },
  };
}

interface PagerEvent {
  readonly action: 'trigger' | 'resolve';
  readonly dedupKey: string;
  readonly messages: readonly AlertMessage[];
}

const groupKey = ({ group }: AlertMessage): string => `group/${group}`;

/** Remembers under which event an alert was opened, for at most so many alerts. */
function createOpenAlerts(): { eventsFor(messages: readonly AlertMessage[]): readonly PagerEvent[] } {
  const alone = new Set<string>();
  const shared = new Map<string, Set<string>>();
  let sharedCount = 0;
  const sharedEventOf = (key: string): string | undefined => [...shared].find(([, keys]) => keys.has(key))?.[0];

  const begin = (firing: readonly AlertMessage[]): readonly PagerEvent[] => {
    const [first] = firing;
    if (first === undefined) return [];
    if (firing.length === 1) {
      const event = sharedEventOf(first.key);
      if (event === undefined && alone.size < MAX_REMEMBERED) alone.add(first.key);
      return [{ action: 'trigger', dedupKey: event ?? first.key, messages: firing }];
    }
    const dedupKey = groupKey(first);
    const keys = shared.get(dedupKey) ?? new Set<string>();
    for (const { key } of firing) {
      if (alone.has(key) || keys.has(key) || sharedCount >= MAX_REMEMBERED) continue;
      keys.add(key);
      sharedCount++;
    }
    if (keys.size > 0) shared.set(dedupKey, keys);
    return [{ action: 'trigger', dedupKey, messages: firing }];
  };

  const end = (message: AlertMessage): readonly PagerEvent[] => {
    const messages = [message];
    const event = sharedEventOf(message.key);
    if (event === undefined) {
      const isKnown = alone.delete(message.key);
      const own: PagerEvent = { action: 'resolve', dedupKey: message.key, messages };
      const mayBeShared = !isKnown && message.endsGroup === true;
      return mayBeShared ? [own, { ...own, dedupKey: groupKey(message) }] : [own];
    }
    const keys = shared.get(event);
    if (keys?.delete(message.key) === true) sharedCount--;
    if (keys !== undefined && keys.size > 0) return [];
    shared.delete(event);
    return [{ action: 'resolve', dedupKey: event, messages }];
  };

  return {
    eventsFor: (messages) => [
      ...begin(messages.filter((message) => message.status === 'firing')),
      ...messages.filter((message) => message.status === 'resolved').flatMap(end),
    ],
  };
}

function toEnvelope(url: string, routingKey: string, { action, dedupKey, messages }: PagerEvent): Envelope {
  const [first] = messages;
  const payload = {
    summary: cut(headline(messages), 1000),
    source: first === undefined ? 'aegis' : `${first.namespace}/${first.workload}`,
    severity: SEVERITY[worst(messages)],
    timestamp: new Date(first?.startsAtMs ?? 0).toISOString(),
    component: first?.workload,
    group: first?.group,
    class: first?.failureType,
    custom_details: messages.length === 1 ? detailsOf(first) : { alerts: messages.slice(0, MAX_LISTED).map(lineOf) },
  };
  const body = { routing_key: routingKey, event_action: action, dedup_key: cut(dedupKey, 255), payload };
  return { url, headers: JSON_TYPE, body: JSON.stringify(body) };
}

const detailsOf = (message: AlertMessage | undefined): unknown => ({
  summary: message?.summary,
  evidence: message?.evidence.map((line) => cut(line, 500)),
  advice: message?.advice,
  policy: message?.policy,
});

const lineOf = (message: AlertMessage): string => cut(`${message.status} ${message.key} ${message.title}`, 200);
