import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { steadyRecord, timedRow, wallLead, type TimedRow } from '../../../src/controller/steady-times.ts';
import { aRecord } from '../../support/builders/policy.ts';
import { MINUTE, NOW } from '../../support/builders/workload.ts';
import { fakeClock } from '../../support/fake-clock.ts';

test('however the wall clock jumps between them, each time lies as long ago as it really does', () => {
  const jump = fc.integer({ min: -600, max: 600 }).map((minutes) => minutes * MINUTE);
  fc.assert(
    fc.property(jump, jump, jump, fc.integer({ min: 1, max: 500 }), (first, second, third, passMinutes) => {
      const clock = fakeClock(NOW);
      const lead = (): number => wallLead(clock);
      const passes = passMinutes * MINUTE;
      let row: TimedRow = timedRow(
        aRecord({ decidedAtMs: clock.nowMs(), executedAtMs: undefined as never }),
        undefined,
        lead(),
      );
      clock.jump(first);
      clock.advance(passes);
      row = timedRow({ ...row.record, executedAtMs: clock.nowMs() }, row, lead());
      clock.jump(second);
      clock.advance(passes);
      row = timedRow({ ...row.record, endedAtMs: clock.nowMs(), state: 'Healed' }, row, lead());
      clock.jump(third);
      clock.advance(passes);
      const { decidedAtMs, executedAtMs = NaN, endedAtMs = NaN } = steadyRecord(row, lead());
      const ago = [decidedAtMs, executedAtMs, endedAtMs].map((atMs) => clock.nowMs() - atMs);
      expect(ago).toEqual([3 * passes, 2 * passes, passes]);
    }),
  );
});

test('without a jump the row is the very row that was stored', () => {
  const clock = fakeClock(NOW);
  const record = aRecord();
  const row = timedRow(record, undefined, wallLead(clock));
  clock.advance(60 * MINUTE);
  clock.jump(900);
  expect(steadyRecord(row, wallLead(clock))).toBe(record);
});
