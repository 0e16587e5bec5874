import { describe, expect, test } from '@jest/globals';
import { IncidentBook } from '../../../src/controller/incident-book.ts';
import type { Store } from '../../../src/controller/store-ports.ts';
import type { Incident } from '../../../src/detection/incident.ts';
import type { HealthState } from '../../../src/detection/verdict.ts';
import { anIncident, aVerdict } from '../../support/builders/incident.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog } from '../../support/recorders.ts';
import { MINUTE, NOW } from '../../support/builders/workload.ts';

const SECOND = 1_000;
const refOf = (name: string) => ({ ...anIncident().workload, name, uid: `uid-${name}` });

function aBook(stored: readonly Incident[] = []) {
  const store: Pick<Store, 'openIncidents'> = { openIncidents: () => Promise.resolve(stored) };
  const clock = fakeClock(NOW);
  const book = new IncidentBook(store as Store, recordedLog(), clock);
  const poll = (atMs: number, states: Readonly<Record<string, HealthState>>): void => {
    clock.advance(Math.max(0, atMs - clock.nowMs()));
    for (const [name, state] of Object.entries(states)) {
      book.remember(book.track('policy', refOf(name)), aVerdict({ state, atMs, workload: refOf(name) }));
    }
  };
  /** Of how many watched workloads how many were ever anomalous. */
  const share = (): string => {
    const watched = book.watched();
    return `${watched.filter(({ lastAnomalousMs }) => lastAnomalousMs !== undefined).length} of ${watched.length}`;
  };
  return { book, poll, share, clock };
}

describe('what the storm brake sees', () => {
  test('a workload that was never judged counts neither as well nor as ill', () => {
    const { poll, share } = aBook();
    poll(NOW, { a: 'unhealthy', b: 'healthy', c: 'unknown' });
    expect(share()).toBe('1 of 2');
  });

  test('a poll that could judge only the ill ones does not take the healthy ones out of the share', () => {
    const { poll, share } = aBook();
    poll(NOW, { a: 'unhealthy', b: 'healthy', c: 'healthy' });
    poll(NOW + 15 * SECOND, { a: 'unhealthy', b: 'unknown', c: 'unknown' });
    expect(share()).toBe('1 of 3');
  });

  test('what stays unknown for more than a minute counts no more, ill ones included', () => {
    const { poll, share } = aBook();
    poll(NOW, { a: 'unhealthy', b: 'healthy' });
    poll(NOW + 61 * SECOND, { a: 'unknown', b: 'unknown' });
    expect(share()).toBe('0 of 0');
  });

  test('an incident that is taken over counts once its workload was judged, and health seen before the change still does', async () => {
    const { book, poll, share } = aBook([anIncident({ policyUid: 'policy', workload: refOf('a'), updatedAtMs: NOW })]);
    poll(NOW, { b: 'healthy', c: 'healthy' });
    book.unload();
    await book.load();
    poll(NOW + 20 * SECOND, { a: 'unknown', b: 'unknown', c: 'unknown' });
    expect(share()).toBe('0 of 2');
    poll(NOW + 25 * SECOND, { a: 'unhealthy', b: 'unknown', c: 'unknown' });
    expect(share()).toBe('1 of 3');
  });
});

describe('a wall clock that jumps', () => {
  test.each([60 * MINUTE, -60 * MINUTE])('by %d ms: how long ago something was stays what it was', (byMs) => {
    const { book, poll, clock } = aBook();
    poll(NOW, { a: 'unhealthy', b: 'healthy' });
    const [ill, well] = ['a', 'b'].map((name) => book.track('policy', refOf(name)));
    if (ill === undefined || well === undefined) throw new Error('no track');
    ill.hold = { key: 'StormActive 0', sinceMs: NOW };
    well.completeSinceMs = NOW;
    clock.advance(30 * SECOND);
    clock.jump(byMs);
    const agoMs = clock.nowMs() - 30 * SECOND;
    expect(book.watched().map(({ lastAnomalousMs }) => lastAnomalousMs)).toEqual([agoMs, undefined]);
    expect(book.find('policy', 'uid-a')?.hold?.sinceMs).toBe(agoMs);
    expect(book.find('policy', 'uid-b')).toMatchObject({ completeSinceMs: agoMs, healthySinceMs: agoMs });
  });

  test('a poll after it could not judge: what was known a moment before is known', () => {
    const { poll, clock, share } = aBook();
    poll(NOW, { a: 'unhealthy', b: 'healthy' });
    clock.jump(60 * MINUTE);
    poll(clock.nowMs() + 5 * SECOND, { a: 'unknown', b: 'unknown' });
    expect(share()).toBe('1 of 2');
  });

  test('an incident that was stored in the future was anomalous just now', async () => {
    const { book, poll } = aBook([
      anIncident({ policyUid: 'policy', workload: refOf('a'), updatedAtMs: NOW + 60 * MINUTE }),
    ]);
    await book.load();
    poll(NOW, { a: 'healthy' });
    expect(book.watched()).toMatchObject([{ lastAnomalousMs: NOW }]);
  });
});
