import { UNKNOWN_SUBJECT, type Facts } from './facts.ts';
import type { LogSignature, SignatureFacts } from './log-signatures.ts';
import type { MetricShape, MetricState } from './metric-shape.ts';

/** Three significant figures, without a tail of zeros. */
export const figure = (value: number): string => String(Number(value.toPrecision(3)));

/** From so much of the value on, the expected one is another. */
const TELLING = 0.05;

/**
 * A pod that was born ill has learnt nothing else: "error_rate up to 0.3 (expected 0.29)" would only confuse, since what
 * objects is a bare value that no healthy pod shows.
 */
function tellingExpectation(direction: MetricShape['direction'], { value, expected }: MetricState): number | undefined {
  if (expected === undefined || value === undefined || direction === 'flat') return expected;
  return Math.abs(value - expected) > TELLING * Math.abs(value) ? expected : undefined;
}

/** "cpu_usage up to 93 (expected 41) on 3 of 3 pods". */
export function described(shape: MetricShape): string {
  const { worst, metric, direction, pods, known } = shape;
  const way = direction === 'flat' ? 'as usual' : direction;
  const value = worst?.value === undefined ? '' : ` ${direction === 'flat' ? 'at' : 'to'} ${figure(worst.value)}`;
  const usual = worst === undefined ? undefined : tellingExpectation(direction, worst);
  const expected = usual === undefined ? '' : ` (expected ${figure(usual)})`;
  const where = pods.length === 1 ? ` on pod ${pods[0]}` : pods.length > 1 ? ` on ${pods.length} of ${known} pods` : '';
  return `${metric} ${way}${value}${expected}${where}`;
}

/** "14 log lines of deadline since the onset, such as: …"; undefined if the signature was not seen. */
export function logged(facts: Facts, signature: LogSignature): string | undefined {
  const seen: SignatureFacts | undefined = facts.logs.get(signature);
  if (seen === undefined) return undefined;
  const lines = seen.count === 1 ? 'a log line tells' : `${seen.count} log lines tell`;
  return `${lines} of ${signature}, such as “${seen.example}”`;
}

/**
 * A signature that was as frequent before the onset is no sign of it: its weight shrinks to a quarter. Lines that are
 * neither warnings nor errors count half.
 */
export function logWeight(facts: Facts, signature: LogSignature, weight: number): number {
  const seen = facts.logs.get(signature);
  if (seen === undefined) return 0;
  const isOld = (seen.rateRatio ?? Infinity) <= 1.5;
  return weight * (isOld ? 0.25 : 1) * (seen.alarming === 0 ? 0.5 : 1);
}

/** "6 min". */
export function span(ms: number): string {
  if (ms < 90_000) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}

/** `deployment/checkout`, for commands. */
export const objectName = (facts: Facts): string => `${facts.subject.kind.toLowerCase()}/${facts.subject.name}`;

/** False: `objectName` names no object, and a command with it would not work. */
export const isSubjectKnown = ({ subject }: Facts): boolean => subject !== UNKNOWN_SUBJECT;

/** `sentence: kubectl -n shop …` about the object, and the sentence alone where nobody said which object it is. */
export function withCommand(facts: Facts, sentence: string, rest: (object: string) => string): string {
  return isSubjectKnown(facts) ? `${sentence}: ${kubectl(facts, rest(objectName(facts)))}` : `${sentence}.`;
}

/** `kubectl -n shop …`. */
export function kubectl(facts: Facts, rest: string): string {
  return facts.subject.namespace === '' ? `kubectl ${rest}` : `kubectl -n ${facts.subject.namespace} ${rest}`;
}
