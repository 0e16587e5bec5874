import { describe, expect, test } from '@jest/globals';
import { EventFeed } from '../../../src/controller/event-feed.ts';
import { fakeClock } from '../../support/fake-clock.ts';

const aFeed = (capacity = 3): EventFeed => new EventFeed({ clock: fakeClock(0), process: 'p', capacity });
const filled = (events: number): EventFeed => {
  const feed = aFeed();
  for (let i = 1; i <= events; i += 1) feed.publish('Healed', { n: i });
  return feed;
};

describe('a reader who comes back', () => {
  const rows: readonly (readonly [what: string, seen: string, missed: readonly number[], hasGap: boolean])[] = [
    ['saw all', 'p-5', [], false],
    ['missed one', 'p-4', [5], false],
    ['missed as many as are remembered', 'p-2', [3, 4, 5], false],
    ['missed one more: there is a gap', 'p-1', [3, 4, 5], true],
    ['saw events of another process', 'q-5', [], true],
    ['says what never was', 'p-6', [], true],
    ['says nothing of sense', 'x', [], true],
    ['says a number without a process', '-5', [], true],
  ];
  test.each(rows)('%s', (_what, seen, missed, hasGap) => {
    const answer = filled(5).since(seen);
    expect([answer.events.map(({ data }) => data['n']), answer.hasGap]).toEqual([missed, hasGap]);
  });

  test('goes on from the position it was told at first', () => {
    const feed = filled(2);
    const position = feed.position();
    expect(feed.since(position)).toEqual({ events: [], hasGap: false });
    feed.publish('Healed', { n: 3 });
    expect(feed.since(position).events.map(({ id }) => id)).toEqual(['p-3']);
  });
});

test('listeners hear what happens until they leave', () => {
  const feed = aFeed();
  const heard: string[] = [];
  const leave = feed.subscribe(({ type, data }) => void heard.push(`${type} ${String(data['name'])}`));
  const regarding = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'checkout', uid: 'u' };
  feed.emit({ regarding, type: 'Normal', reason: 'Healed', action: 'Verify', note: 'back in its band' });
  leave();
  feed.publish('Healed', {});
  expect(heard).toEqual(['Healed checkout']);
});
