import { FILLS, INK, box, document, line, text } from './svg.ts';

/** Horizontal bars, some to a group: long labels need room, so they stand above their bars. */
export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  readonly series: readonly string[];
  readonly groups: readonly {
    readonly label: string;
    readonly values: readonly number[];
    /** Of somebody else: greyed, so that one's own stand out. */
    readonly isPeer?: boolean;
  }[];
  /** End of the axis. */
  readonly max: number;
  /** Decimals of the values beside the bars; 2 if absent. */
  readonly decimals?: number;
  /** A mark across all bars, such as a target. */
  readonly mark?: { readonly value: number; readonly label: string };
}

const [WIDTH, LEFT, RIGHT, TOP, BAR, GAP, LABEL] = [760, 24, 64, 92, 12, 12, 18];
const TICKS = 5;
const PEER = '#a8b1ba';

export function barChart(chart: BarChart): string {
  const span = WIDTH - LEFT - RIGHT;
  const x = (value: number): number => LEFT + (span * Math.min(Math.max(value, 0), chart.max)) / chart.max;
  const heightOf = LABEL + chart.series.length * BAR + GAP;
  const bottom = TOP + chart.groups.length * heightOf;
  const parts = [
    text(LEFT, 28, chart.title, { size: 17, weight: 'bold' }),
    text(LEFT, 48, chart.subtitle, { fill: INK.faint }),
    ...legend(chart.series),
    ...axis(chart, x, bottom),
  ];
  chart.groups.forEach(({ label, values, isPeer = false }, g) => {
    const top = TOP + g * heightOf;
    parts.push(text(LEFT, top + 13, label, { size: 12 }));
    values.forEach((value, s) => {
      if (!Number.isFinite(value)) return;
      const y = top + LABEL + s * BAR;
      const fill = isPeer ? PEER : (FILLS[s % FILLS.length] ?? INK.faint);
      parts.push(box(LEFT, y, x(value) - LEFT, BAR - 2, fill));
      parts.push(text(x(value) + 5, y + BAR - 3, value.toFixed(chart.decimals ?? 2), { size: 10, fill: INK.faint }));
    });
  });
  return document(WIDTH, bottom + 36, chart.title, parts);
}

function legend(series: readonly string[]): readonly string[] {
  if (series.length < 2) return [];
  let left = LEFT;
  return series.flatMap((name, s) => {
    const parts = [box(left, 61, 11, 11, FILLS[s % FILLS.length] ?? INK.faint), text(left + 17, 71, name)];
    left += 44 + name.length * 7;
    return parts;
  });
}

function axis({ max, mark }: BarChart, x: (value: number) => number, bottom: number): readonly string[] {
  const parts: string[] = [];
  for (let tick = 0; tick <= TICKS; tick++) {
    const value = (max * tick) / TICKS;
    parts.push(line([x(value), TOP - 6], [x(value), bottom], INK.grid));
    parts.push(
      text(x(value), bottom + 18, String(Number(value.toPrecision(3))), {
        size: 11,
        fill: INK.faint,
        anchor: 'middle',
      }),
    );
  }
  if (mark !== undefined) {
    parts.push(line([x(mark.value), TOP - 6], [x(mark.value), bottom], INK.text, '4 3'));
    parts.push(text(x(mark.value), TOP - 10, mark.label, { size: 11, anchor: 'middle' }));
  }
  return parts;
}
