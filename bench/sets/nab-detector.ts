import { stepSeasonal } from '../../src/detection/detectors/seasonal.ts';
import { stepShape } from '../../src/detection/detectors/shape.ts';
import {
  newObservation,
  observe,
  startOwnHistory,
  teachOwnHistory,
} from '../../src/detection/detectors/own-history.ts';
import { COARSE_SHAPE, SHAPE_SHAPE } from '../../src/detection/state/coarse-record.ts';
import { SERIES_SHAPE } from '../../src/detection/state/series-record.ts';
import { Slab } from '../../src/detection/state/slab.ts';
import { scoreOfRatio } from '../../src/detection/statistics/score-of-ratio.ts';

/**
 * The engine's own detectors over a bare stream, as NAB asks for it: no pod, no unit, no direction, so none of the gates
 * that need them; learning goes on through anomalies; one alarm per episode instead of a sustained score.
 */
export interface StreamFeatures {
  /** Own history, nearest neighbour and time of day: ratios, 1 is each one's alarm line. */
  readonly history: Float64Array;
  readonly shape: Float64Array;
  readonly seasonal: Float64Array;
}

/** Rows before this are not spoken about: too little is known. */
const SPEAKS_FROM = 200;

/** Feeds a stream row by row: the features of a row depend on it and on earlier rows only. */
export function streamFeatures(timesMs: Float64Array, values: Float64Array): StreamFeatures {
  const [series, coarse, shapes] = [new Slab(SERIES_SHAPE), new Slab(COARSE_SHAPE), new Slab(SHAPE_SHAPE)];
  const [a, b, d] = [series.allocate(), coarse.allocate(), shapes.allocate()];
  const observation = newObservation();
  const history = new Float64Array(values.length);
  const shape = new Float64Array(values.length);
  const seasonal = new Float64Array(values.length);
  startOwnHistory(series.seek(a), values[0] ?? 0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (!Number.isFinite(value)) continue;
    const c = series.seek(a);
    observe(c, value, observation);
    teachOwnHistory(c, observation);
    const day = stepSeasonal(coarse.seek(b), value, timesMs[i] ?? 0, true);
    const neighbour = stepShape(shapes.seek(d), value, true);
    if (i < SPEAKS_FROM) continue;
    history[i] = observation.ratio;
    seasonal[i] = day;
    shape[i] = neighbour;
  }
  return { history, shape, seasonal };
}

/** How the features become one ratio, and how alarms are held apart: everything that may be tuned. */
export interface Design {
  readonly name: string;
  /** Weight of shape in the geometric blend with history, 0 (history alone) to 1 (shape alone). */
  readonly blend: number;
  /** History alone may fire too, from this many of its own lines on; Infinity: never. */
  readonly historyLine: number;
  /** The blend is divided by it. */
  readonly line: number;
  /** Rows for which the score is halved after an alarm. */
  readonly refractory: number;
}

/** Ratios of a design: 1 is its alarm line. */
export function designRatios({ history, shape, seasonal }: StreamFeatures, design: Design): Float64Array {
  return Float64Array.from(shape, (neighbour, i) => {
    const own = history[i] ?? 0;
    const held = Math.min(Math.max(own, 0.05), 20);
    const blended = design.blend === 0 ? own : neighbour ** design.blend * held ** (1 - design.blend);
    return Math.max(blended / design.line, own / design.historyLine, seasonal[i] ?? 0);
  });
}

/** Rows at which the alarm policy below fires. */
export function alarmRows(ratios: Float64Array, refractory: number, line: number): readonly number[] {
  const rows: number[] = [];
  for (let i = 0; i < ratios.length; i++) {
    if ((ratios[i] ?? 0) < line) continue;
    rows.push(i);
    i += refractory;
  }
  return rows;
}

/** Alarm policy for a stream: after a row at the line the scores of the next rows are halved, then it is re-armed. */
export function alarmScores(ratios: Float64Array, refractory: number, line = 1): Float64Array {
  let until = -1;
  return ratios.map((ratio, i) => {
    const score = scoreOfRatio(ratio);
    if (i < until) return score / 2;
    if (ratio >= line) until = i + 1 + refractory;
    return score;
  });
}
