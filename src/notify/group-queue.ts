import type { AlertMessage } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';

/** At most one message to one sink about one group in this time. */
const GROUP_PERIOD_MS = 60_000;
/** Alerts that wait for one sink; more are given back as not delivered. */
const MAX_WAITING = 10_000;
/** Messages under way to one sink. */
const MAX_UNDER_WAY = 4;

/** Collects what one sink is to be told and lets it out group by group. */
export interface GroupQueue {
  /** Resolves with why the message was not delivered, or `undefined` if it was. Never rejects. */
  push(message: AlertMessage): Promise<string | undefined>;
}

interface Batch {
  readonly messages: Map<string, AlertMessage>;
  readonly done: Promise<string | undefined>;
  readonly settle: (failure: string | undefined) => void;
}

/**
 * The first message of a group leaves at once; what comes within the minute after it waits and leaves as one. All who
 * wait for the same batch share one promise, and a newer message replaces an older one of the same key.
 */
export function createGroupQueue(
  clock: Clock,
  deliver: (messages: readonly AlertMessage[]) => Promise<string | undefined>,
): GroupQueue {
  const waiting = new Map<string, Batch>();
  /** Groups with a message under way, or one that left less than a minute ago. */
  const resting = new Set<string>();
  const ready: string[] = [];
  let underWay = 0;
  let count = 0;

  const pump = (): void => {
    while (underWay < MAX_UNDER_WAY) {
      const group = ready.shift();
      const batch = group === undefined ? undefined : waiting.get(group);
      if (group === undefined) return;
      if (batch === undefined) continue;
      waiting.delete(group);
      count -= batch.messages.size;
      underWay++;
      resting.add(group);
      void deliver([...batch.messages.values()]).then((failure) => {
        underWay--;
        // From the end on: tries may have delayed the message, and the next must not follow on its heels.
        clock.after(GROUP_PERIOD_MS, () => release(group));
        batch.settle(failure);
        pump();
      });
    }
  };

  /** The group's minute is over: what has come meanwhile may go. */
  const release = (group: string): void => {
    resting.delete(group);
    if (waiting.has(group)) makeReady(group);
  };

  const makeReady = (group: string): void => {
    ready.push(group);
    pump();
  };

  return {
    push(message) {
      const known = waiting.get(message.group);
      const isNew = known?.messages.has(message.key) !== true;
      if (isNew && count >= MAX_WAITING) return Promise.resolve(`${MAX_WAITING} alerts are waiting already`);
      const batch = known ?? createBatch();
      batch.messages.delete(message.key);
      batch.messages.set(message.key, message);
      if (isNew) count++;
      if (known === undefined) {
        waiting.set(message.group, batch);
        if (!resting.has(message.group)) makeReady(message.group);
      }
      return batch.done;
    },
  };
}

function createBatch(): Batch {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  return { messages: new Map(), done: promise, settle: resolve };
}
