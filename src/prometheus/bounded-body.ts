import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { codeOf } from '../lib/thrown.ts';

/** A reply grew beyond its limit and was cut off. */
export class BodyTooLarge extends Error {}
/** The reply's content encoding is none that was asked for. */
export class UnknownEncoding extends Error {}

/** Below it a thread costs more than it saves; what unpacks to most is still cut off at the limit. */
const IN_PLACE_BYTES = 64 * 1024;

/**
 * Reads a reply into memory, counting bytes before and after decompression: a gzip bomb of 10 kB is cut off at the
 * limit like any other large reply. Rejects with `BodyTooLarge`, `UnknownEncoding` or the stream's own error.
 */
export async function readBounded(body: Readable, encoding: string, maxBytes: number): Promise<Buffer> {
  const isPacked = encoding === 'gzip' || encoding === 'x-gzip';
  if (!isPacked && encoding !== '' && encoding !== 'identity') {
    // What is cut off reports that as an error, and an error that nobody hears ends the process.
    body.once('error', () => undefined);
    body.destroy();
    throw new UnknownEncoding(`content encoding ${encoding}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  await pipeline(body, async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  });
  const bytes = Buffer.concat(chunks, size);
  return isPacked ? unpack(bytes, maxBytes) : bytes;
}

async function unpack(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  const limits = { maxOutputLength: maxBytes, chunkSize: 64 * 1024 };
  try {
    return bytes.length <= IN_PLACE_BYTES ? gunzipSync(bytes, limits) : await promisify(gunzip)(bytes, limits);
  } catch (fault) {
    throw codeOf(fault) === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : fault;
  }
}

const tooLarge = (maxBytes: number): BodyTooLarge => new BodyTooLarge(`the reply is larger than ${maxBytes} bytes`);
