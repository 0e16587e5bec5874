import type { Distribution, Shape, Usual } from './schema.ts';

/** What a web service shows where a scenario says nothing else. */
export const WEB_SERVICE: Readonly<Record<string, Usual>> = {
  cpu_usage: { level: 40, noise: 2 },
  memory_usage: { level: 50, noise: 1 },
  request_rate: { level: 100, noise: 5 },
  error_rate: { level: 0.002, noise: 0.002 },
  response_time: { level: 50, noise: 4 },
};

/** What a metric shows on a pod when nothing is wrong. Same seed, same noise. */
export function usualAt({ level, noise, distribution, wave }: Usual, series: string, atSeconds: number): number {
  const rhythm = wave === undefined ? 0 : wave.amplitude * Math.sin((2 * Math.PI * atSeconds) / wave.periodSeconds);
  return level + rhythm + noise * spread(distribution, `${series}/${atSeconds}`);
}

/** Noise of the amplitude 1, by the text alone. */
function spread(distribution: Distribution, text: string): number {
  switch (distribution) {
    case undefined:
    case 'uniform':
      return 2 * chance(text) - 1;
    case 'normal':
      return normal(text);
    case 'heavy-tailed':
      return Math.exp(normal(text)) - 1;
  }
}

/** Mean 0, standard deviation 1 (Box and Muller 1958). */
const normal = (text: string): number =>
  Math.sqrt(-2 * Math.log(1 - chance(`${text}/radius`))) * Math.cos(2 * Math.PI * chance(`${text}/angle`));

export interface Moment {
  /** Seconds since the event began. */
  readonly t: number;
  /** Names the pod, for noise of its own. */
  readonly series: string;
  readonly usualPods: number;
  readonly readyPods: number;
  /** Requests a second of one pod when all is well. */
  readonly usualPerSecond: number;
  /** What limits let in to all pods together, in requests a second; absent: nothing limits it. */
  readonly admittedPerSecond: number | undefined;
}

/** The value as the event leaves it. */
export function departed(shape: Shape, value: number, moment: Moment): number {
  const { t, series, usualPods, readyPods } = moment;
  switch (shape.shape) {
    case 'constant':
      return shape.value;
    case 'add':
      return value + shape.value;
    case 'times':
      return value * shape.factor;
    case 'ramp':
      return beyond(value + shape.perSecond * t, shape.upTo, shape.perSecond);
    case 'levels-off':
      return value + shape.by * (1 - Math.exp(-t / shape.tauSeconds));
    case 'wave':
      return value + shape.amplitude * Math.sin((2 * Math.PI * t) / shape.periodSeconds);
    case 'square':
      return t % (shape.onSeconds + shape.offSeconds) < shape.onSeconds ? value + shape.value : value;
    case 'noise':
      return value + shape.amplitude * spread(shape.distribution, `${series}/${t}/event`);
    case 'shared':
      return Math.min((value * arrived(shape, t) * usualPods) / Math.max(readyPods, 1), shape.upTo);
    case 'admitted':
      return Math.min(value * suffers(workOf(arrived(shape, t), moment), shape.exponent), shape.upTo);
  }
}

/** Work that is there by now, in multiples of the usual. */
const arrived = ({ factor, overSeconds = 0 }: Shape & { readonly shape: 'shared' | 'admitted' }, t: number): number =>
  t >= overSeconds ? factor : 1 + ((factor - 1) * t) / overSeconds;

/** What grows faster than the work is at its usual level while there is less work than usual. */
const suffers = (work: number, exponent: number): number => (exponent > 1 ? Math.max(work, 1) ** exponent : work);

/** Work of one pod in multiples of the usual, as far as it is let in. */
function workOf(factor: number, { usualPods, readyPods, usualPerSecond, admittedPerSecond }: Moment): number {
  const offered = factor * usualPods;
  const admitted = admittedPerSecond === undefined ? Infinity : admittedPerSecond / usualPerSecond;
  return Math.min(offered, admitted) / Math.max(readyPods, 1);
}

function beyond(value: number, upTo: number | undefined, direction: number): number {
  if (upTo === undefined) return value;
  return direction > 0 ? Math.min(value, upTo) : Math.max(value, upTo);
}

/** 0 to 1, by the text alone (FNV-1a with an avalanche). */
export function chance(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
