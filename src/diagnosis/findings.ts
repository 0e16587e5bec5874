import type { Change } from './evidence.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './failure-model.ts';
import { printable } from './log-signatures.ts';
import type { LogSignature } from './log-signatures.ts';
import { described, logged, logWeight, span } from './sentences.ts';

/** The sentence, if it holds. */
export const claim = (holds: boolean, sentence: string | undefined): string | undefined =>
  holds ? sentence : undefined;

function finding(source: Finding['source'], weight: number, what: string | undefined): Finding | undefined {
  return what === undefined || what === '' ? undefined : { source, weight, what };
}

/** Evidence from the status of Kubernetes objects. `weight` is in log-odds, negative speaks against the type. */
export const status = (weight: number, what: string | undefined): Finding | undefined =>
  finding('kubernetes', weight, what);

/** Evidence from a change: "secret db changed 4 min ago". */
export function change(facts: Facts, weight: number, what: Change | undefined): Finding | undefined {
  if (what === undefined) return undefined;
  const ago = span(Math.max(0, facts.input.nowMs - what.atMs));
  return finding('change', weight, `${what.kind} ${what.name} changed ${ago} ago`);
}

/** Evidence from log lines with this signature; they weigh little if they were as frequent before. */
export const told = (facts: Facts, signature: LogSignature, weight: number): Finding | undefined =>
  finding('log', logWeight(facts, signature, weight), logged(facts, signature));

/** Evidence that rests on log lines, in words of its own. */
export const read = (weight: number, what: string | undefined): Finding | undefined => finding('log', weight, what);

/** Evidence that rests on these metrics. */
export function metric(weight: number, what: string | undefined, ...metrics: readonly string[]): Finding | undefined {
  const found = finding('metric', weight, what);
  return found === undefined ? undefined : { ...found, metrics };
}

/** Evidence that a metric goes this way. */
export function goes(
  facts: Facts,
  name: string,
  direction: 'up' | 'down' | 'flat',
  weight: number,
): Finding | undefined {
  const shape = facts.metric(name);
  return shape.direction === direction ? metric(weight, described(shape), name) : undefined;
}

/** The findings that can only be made once a first sign holds. */
export const given = (
  isGiven: boolean,
  findings: () => readonly (Finding | undefined)[],
): readonly (Finding | undefined)[] => (isGiven ? findings() : []);

/** Evidence from warnings and errors of a kind that was never seen before the onset. */
export function novelty(facts: Facts, weight: number): Finding | undefined {
  const [first] = facts.newTemplates();
  if (first === undefined) return undefined;
  return finding(
    'log',
    weight,
    `${first.alarming} log lines of a kind never seen before: “${printable(first.template)}”`,
  );
}
