import type { MetricWish, PolledPolicy, PolledReading, SourceError } from '../controller/ports.ts';
import type { Reading } from '../detection/sample.ts';
import type { Cell } from './cells.ts';
import { ownerOf } from './entity.ts';
import type { Want } from './plan.ts';

const ABSENT: Reading = { kind: 'unknown', reason: 'Absent' };
const FAILED: Reading = { kind: 'unknown', reason: 'SourceError' };

/** Lists of readings of one poll that several policies share, by what they are made of. */
export type SharedReadings = Map<string, readonly PolledReading[]>;

/**
 * Gives a policy its share of the cells. Each wanted metric yields at least one reading: where nothing came back, one
 * of the workload that says `Absent`, or `SourceError` beside its problem. Silence is never left to be read as health.
 * Readings by pod are the same for all policies of a namespace that want the same: a hundred policies over a thousand
 * pods then share one list instead of holding half a million readings.
 */
export function assemble(
  wish: MetricWish,
  wants: readonly Want[],
  cells: ReadonlyMap<string, Cell>,
  shared: SharedReadings = new Map(),
): PolledPolicy {
  const problems = wants.flatMap((want) => {
    const error = problemOf(want, cells);
    return error === undefined ? [] : [{ metric: want.metric, error }];
  });
  const own = wants.some((want) => (cellOf(want, cells)?.kind ?? 'pod') !== 'pod');
  const key = wants.map(({ metric, cell = '' }) => `${metric} ${cell}`).join('\n');
  const known = own || problems.length > 0 ? undefined : shared.get(key);
  const readings = known ?? wants.flatMap((want) => wantedReadings(want, wish, cells));
  if (!own && problems.length === 0) shared.set(key, readings);
  return { policyUid: wish.policyUid, readings, problems };
}

const cellOf = ({ cell }: Want, cells: ReadonlyMap<string, Cell>): Cell | undefined =>
  cell === undefined ? undefined : cells.get(cell);

const problemOf = (want: Want, cells: ReadonlyMap<string, Cell>): SourceError | undefined =>
  want.problem ?? cellOf(want, cells)?.problem;

function wantedReadings(want: Want, wish: MetricWish, cells: ReadonlyMap<string, Cell>): readonly PolledReading[] {
  const cell = cellOf(want, cells);
  const found = cell === undefined ? [] : readingsOf(want, cell, wish);
  if (found.length > 0) return found;
  const reading = problemOf(want, cells) === undefined ? ABSENT : FAILED;
  return [{ metric: want.metric, unit: want.unit, reading }];
}

function readingsOf(want: Want, cell: Cell, wish: MetricWish): readonly PolledReading[] {
  if (cell.kind === 'service') return serviceReading(want, cell, wish);
  if (cell.kind === 'claim') return claimReadings(want, cell, wish);
  return Array.from(cell.readings, ([entity, reading]) => ({
    metric: want.metric,
    unit: want.unit,
    reading,
    ...ownerOf(entity),
  }));
}

/**
 * The service named like the workload, or the only one of the namespace; among several strangers none is guessed. For a
 * policy that selects by labels each goes to the workload that is named like it.
 */
function serviceReading({ metric, unit }: Want, cell: Cell, wish: MetricWish): readonly PolledReading[] {
  const { targetName } = wish;
  if (targetName === undefined) {
    return Array.from(cell.readings, ([name, reading]) => ({ metric, unit, reading, workload: { name } }));
  }
  const only = cell.readings.size === 1 ? [...cell.readings.values()][0] : undefined;
  const reading = cell.readings.get(targetName) ?? only;
  return reading === undefined ? [] : [{ metric, unit, reading }];
}

/**
 * A claim of a StatefulSet is named `TEMPLATE-NAME-ORDINAL` and belongs to pod `NAME-ORDINAL`. Any other belongs to
 * the workload if it carries its name between dashes; of several the fullest counts.
 */
function claimReadings({ metric, unit }: Want, cell: Cell, wish: MetricWish): readonly PolledReading[] {
  const { targetName } = wish;
  if (targetName === undefined) return [];
  const pods: PolledReading[] = [];
  let fullest: Reading | undefined;
  for (const [claim, reading] of cell.readings) {
    const pod = podOfClaim(claim, targetName);
    if (pod !== undefined) pods.push({ metric, unit, pod, reading });
    else if (`-${claim}-`.includes(`-${targetName}-`)) fullest = fuller(fullest, reading);
  }
  if (pods.length > 0) return pods;
  return fullest === undefined ? [] : [{ metric, unit, reading: fullest }];
}

function podOfClaim(claim: string, targetName: string): string | undefined {
  const match = /^(?<template>.+)-(?<ordinal>\d+)$/.exec(claim);
  const template = match?.groups?.['template'];
  return template?.endsWith(`-${targetName}`) === true ? `${targetName}-${match?.groups?.['ordinal']}` : undefined;
}

function fuller(left: Reading | undefined, right: Reading): Reading {
  if (left === undefined) return right;
  if (left.kind === 'unknown') return left;
  if (right.kind === 'unknown') return right;
  return right.value > left.value ? right : left;
}
