import type { IncomingMessage } from 'node:http';

/** A line of a body, without its end. */
export type Line =
  | { readonly kind: 'line'; readonly bytes: Buffer }
  /** Longer than allowed; what was skipped is not kept. */
  | { readonly kind: 'too-long' };

const LINE_FEED = 0x0a;

/**
 * The lines of a body as they arrive. The next piece is read only when the lines before it were taken, so a reader that
 * is slow makes the sender slow. Throws when the client goes away.
 */
export async function* readLines(request: IncomingMessage, maxBytes: number): AsyncGenerator<Line> {
  let rest: Buffer[] = [];
  let size = 0;
  let isTooLong = false;
  const take = (piece: Buffer): void => {
    size += piece.length;
    if (size > maxBytes) {
      isTooLong = true;
      rest = [];
    } else if (piece.length > 0) rest.push(piece);
  };
  const finish = (): Line => {
    const line: Line = isTooLong ? { kind: 'too-long' } : { kind: 'line', bytes: Buffer.concat(rest) };
    [rest, size, isTooLong] = [[], 0, false];
    return line;
  };
  for await (const chunk of request as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      take(chunk.subarray(from, at));
      from = at + 1;
      yield finish();
    }
    take(chunk.subarray(from));
  }
  if (size > 0) yield finish();
}
