import { FILLS, INK, box, document, line, text } from './svg.ts';

/** How often a figure fell where, with marks to compare it with. */
export interface Histogram {
  readonly title: string;
  readonly subtitle: string;
  readonly values: readonly number[];
  readonly binWidth: number;
  readonly unit: string;
  readonly marks: readonly { readonly value: number; readonly label: string }[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [760, 360, 48, 24, 110, 46];

export function histogram({ title, subtitle, values, binWidth, unit, marks }: Histogram): string {
  const all = [...values, ...marks.map(({ value }) => value)].filter(Number.isFinite);
  const low = binWidth * Math.floor(Math.min(...all) / binWidth);
  const high = binWidth * (Math.floor(Math.max(...all) / binWidth) + 1);
  const bins = new Array<number>(Math.max(Math.round((high - low) / binWidth), 1)).fill(0);
  for (const value of values) {
    const bin = Math.floor((value - low) / binWidth);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const most = Math.max(...bins, 1);
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * (value - low)) / (high - low);
  const y = (count: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * count) / most;
  const parts = [
    text(LEFT, 28, title, { size: 17, weight: 'bold' }),
    text(LEFT, 48, subtitle, { fill: INK.faint }),
    line([LEFT, y(0)], [WIDTH - RIGHT, y(0)], INK.grid),
    text(LEFT - 8, y(most) + 4, String(most), { size: 11, fill: INK.faint, anchor: 'end' }),
    text(LEFT - 8, y(0) + 4, '0', { size: 11, fill: INK.faint, anchor: 'end' }),
  ];
  bins.forEach((count, bin) => {
    const left = low + bin * binWidth;
    const width = x(left + binWidth) - x(left);
    parts.push(box(x(left) + 1, y(count), width - 2, y(0) - y(count), FILLS[0]));
  });
  const step = binWidth * Math.ceil(bins.length / 12);
  for (let value = low; value <= high + 1e-9; value += step) {
    parts.push(
      text(x(value), HEIGHT - BOTTOM + 18, String(Number(value.toPrecision(4))), {
        size: 11,
        fill: INK.faint,
        anchor: 'middle',
      }),
    );
  }
  parts.push(text(WIDTH - RIGHT, HEIGHT - 8, unit, { size: 11, fill: INK.faint, anchor: 'end' }));
  // To the right of the rightmost mark its words cross no other mark's line.
  const rightmost = Math.max(...marks.map(({ value }) => value));
  marks
    .filter(({ value }) => Number.isFinite(value))
    .forEach(({ value, label }, m) => {
      const height = 66 + 15 * m;
      const anchor = x(value) <= WIDTH - 220 && (value >= rightmost || x(value) < 220) ? 'start' : 'end';
      parts.push(line([x(value), height + 2], [x(value), y(0)], INK.text, '4 3'));
      parts.push(text(x(value) + (anchor === 'end' ? -5 : 5), height + 10, label, { size: 11, anchor }));
    });
  return document(WIDTH, HEIGHT, title, parts);
}
