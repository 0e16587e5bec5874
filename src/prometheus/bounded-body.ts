import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** A reply grew beyond its limit and was cut off. */
export class BodyTooLarge extends Error {}
/** The reply's content encoding is none that was asked for. */
export class UnknownEncoding extends Error {}

/**
 * Reads a reply into memory, counting bytes after decompression: a gzip bomb of 10 kB is cut off at the limit like any
 * other large reply. Rejects with `BodyTooLarge`, `UnknownEncoding` or the stream's own error.
 */
export async function readBounded(body: Readable, encoding: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > maxBytes) throw new BodyTooLarge(`the reply is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  };
  if (encoding === '' || encoding === 'identity') await pipeline(body, collect);
  else if (encoding === 'gzip' || encoding === 'x-gzip') await pipeline(body, createGunzip(), collect);
  else {
    // What is cut off reports that as an error, and an error that nobody hears ends the process.
    body.once('error', () => undefined);
    body.destroy();
    throw new UnknownEncoding(`content encoding ${encoding}`);
  }
  return Buffer.concat(chunks, size);
}
