import { expect, test } from '@jest/globals';
import { toCells } from '../../../src/prometheus/cells.ts';
import { ownerOf } from '../../../src/prometheus/entity.ts';
import type { Subject } from '../../../src/prometheus/plan.ts';
import { NOW } from '../../support/builders/prometheus.ts';

const scoped = { promql: 'x', selectors: ['x'], lookBackMs: 0, conjures: false };
const subject: Subject = { kind: 'author', namespace: 'shop', scoped, cell: 'c' };
const judgement = { nowMs: NOW, maxAgeMs: 30_000, givesTimes: true };
const row = (labels: Readonly<Record<string, string>>, value = 1) => ({ labels, atMs: NOW, value });
const time = (labels: Readonly<Record<string, string>>, atMs: number) =>
  row({ ...labels, aegis_time: '0' }, atMs / 1000);

test('series by workload are as fresh as the newest samples of their own workload', () => {
  const rows = [
    row({ deployment: 'web' }),
    row({ workload: 'db' }),
    row({ deployment: 'mq' }),
    time({ pod: 'web-1', deployment: 'web' }, NOW - 600_000),
    time({ pod: 'mq-1', deployment: 'mq' }, NOW - 600_000),
    time({ pod: 'mq-2', deployment: 'mq' }, NOW - 2_000),
    time({ pod: 'db-1', workload: 'db' }, NOW - 1_000),
  ];
  const readings = [...(toCells(subject, { rows }, judgement).get('c')?.readings ?? [])];
  expect(readings.map(([entity, reading]) => [ownerOf(entity), reading.kind])).toEqual([
    [{ workload: { name: 'web', kind: 'Deployment' } }, 'unknown'],
    [{ workload: { name: 'db' } }, 'value'],
    [{ workload: { name: 'mq', kind: 'Deployment' } }, 'value'],
  ]);
});

test('two series for one workload are a mistake of the query', () => {
  const rows = [row({ deployment: 'web', route: 'a' }), row({ deployment: 'web', route: 'b' }), time({}, NOW)];
  const cell = toCells(subject, { rows }, judgement).get('c');
  expect(cell?.problem?.message).toBe('more than one series for deployment web: aggregate by (pod)');
});
