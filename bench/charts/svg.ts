/** Colours that tell apart without hue too (light, middle, dark), on white and on dark pages alike. */
export const INK = { text: '#24292f', faint: '#57606a', grid: '#d0d7de', paper: '#ffffff' } as const;
export const FILLS = ['#1a7f5a', '#f0a848', '#8c7fc0', '#7a8794'] as const;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);

/** Two decimals at most: a drawing made anew differs only where a figure does. */
export const at = (value: number): string => String(Math.round(value * 100) / 100);

export interface TextStyle {
  readonly size?: number;
  readonly fill?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly weight?: 'normal' | 'bold';
}

export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { size = 12, fill = INK.text, anchor = 'start', weight = 'normal' } = style;
  return `<text x="${at(x)}" y="${at(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}" font-weight="${weight}">${escaped(words)}</text>`;
}

export const box = (x: number, y: number, width: number, height: number, fill: string): string =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(Math.max(width, 0))}" height="${at(height)}" fill="${fill}"/>`;

export const line = (
  from: readonly [number, number],
  to: readonly [number, number],
  stroke: string,
  dash = '',
): string =>
  `<line x1="${at(from[0])}" y1="${at(from[1])}" x2="${at(to[0])}" y2="${at(to[1])}" stroke="${stroke}"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/>`;

/** A whole document with a title for those who hear it read. */
export function document(width: number, height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${at(height)}" viewBox="0 0 ${width} ${at(height)}" role="img" font-family="system-ui, 'DejaVu Sans', Arial, sans-serif">`,
    `<title>${escaped(title)}</title>`,
    box(0, 0, width, height, INK.paper),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
