import type { MetricWish, PolledPolicy, PolledReading } from '../controller/ports.ts';
import type { Reading } from '../detection/sample.ts';
import type { Cell } from './cells.ts';
import type { Want } from './plan.ts';

const ABSENT: Reading = { kind: 'unknown', reason: 'Absent' };
const FAILED: Reading = { kind: 'unknown', reason: 'SourceError' };

/**
 * Gives a policy its share of the cells. Each wanted metric yields at least one reading: where nothing came back, one
 * of the workload that says `Absent`, or `SourceError` beside its problem. Silence is never left to be read as health.
 */
export function assemble(wish: MetricWish, wants: readonly Want[], cells: ReadonlyMap<string, Cell>): PolledPolicy {
  const readings: PolledReading[] = [];
  const problems: PolledPolicy['problems'][number][] = [];
  for (const want of wants) {
    const cell = want.cell === undefined ? undefined : cells.get(want.cell);
    const error = want.problem ?? cell?.problem;
    if (error !== undefined) problems.push({ metric: want.metric, error });
    const own = cell === undefined ? [] : readingsOf(want, cell, wish);
    if (own.length > 0) readings.push(...own);
    else readings.push({ metric: want.metric, unit: want.unit, reading: error === undefined ? ABSENT : FAILED });
  }
  return { policyUid: wish.policyUid, readings, problems };
}

function readingsOf(want: Want, cell: Cell, wish: MetricWish): readonly PolledReading[] {
  if (cell.kind === 'service') return serviceReading(want, cell, wish);
  if (cell.kind === 'claim') return claimReadings(want, cell, wish);
  return Array.from(cell.readings, ([pod, reading]) => ({
    metric: want.metric,
    unit: want.unit,
    reading,
    ...(pod === '' ? {} : { pod }),
  }));
}

/** The service named like the workload, or the only one of the namespace; among several strangers none is guessed. */
function serviceReading({ metric, unit }: Want, cell: Cell, wish: MetricWish): readonly PolledReading[] {
  const named = wish.targetName === undefined ? undefined : cell.readings.get(wish.targetName);
  const only = cell.readings.size === 1 ? [...cell.readings.values()][0] : undefined;
  const reading = named ?? only;
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
