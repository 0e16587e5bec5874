/** Rows of a CSV text with its header as keys; quoted fields may hold commas, quotes and line ends. */
export function readCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const [header, ...rows] = parseCsv(text);
  if (header === undefined) return [];
  return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, row[i] ?? ''])));
}

export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const at = text.charAt(i);
    if (quoted) {
      if (at !== '"') field += at;
      else if (text.charAt(i + 1) === '"') field += text.charAt(i++);
      else quoted = false;
    } else if (at === '"') quoted = true;
    else if (at === ',' || at === '\n') {
      row.push(field.endsWith('\r') ? field.slice(0, -1) : field);
      field = '';
      if (at === '\n') {
        rows.push(row);
        row = [];
      }
    } else field += at;
  }
  if (field !== '' || row.length > 0) rows.push([...row, field]);
  return rows;
}
