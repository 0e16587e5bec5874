/**
 * SHA-256 (FIPS 180-4) in plain TypeScript: pure rooms make ids without `node:crypto`. It is for short texts (ids,
 * names), about 5 µs each; adapters that hash keys or bodies use the platform's own.
 */
const K = new Uint32Array(64);
const H0 = new Uint32Array(8);

/** The round constants are the fractional parts of the cube and square roots of the first primes. */
function fillConstants(): void {
  const fraction = (x: number): number => Math.floor((x - Math.floor(x)) * 2 ** 32);
  let count = 0;
  for (let candidate = 2; count < 64; candidate += 1) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) prime &&= candidate % divisor !== 0;
    if (!prime) continue;
    K[count] = fraction(Math.cbrt(candidate));
    if (count < 8) H0[count] = fraction(Math.sqrt(candidate));
    count += 1;
  }
}
fillConstants();

const word = (words: Uint32Array, i: number): number => words[i] ?? 0;
const rotate = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

function compress(state: Uint32Array, block: DataView, at: number, w: Uint32Array): void {
  for (let i = 0; i < 16; i += 1) w[i] = block.getUint32(at + i * 4);
  for (let i = 16; i < 64; i += 1) {
    const a = word(w, i - 15);
    const b = word(w, i - 2);
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[i] = word(w, i - 16) + s0 + word(w, i - 7) + s1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + word(K, i) + word(w, i)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((x, i) => (state[i] = word(state, i) + x));
}

/** The 64 hex digits of the SHA-256 of the text's UTF-8 bytes. */
export function sha256Hex(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, (bytes.length << 3) >>> 0);
  const state = H0.slice();
  const schedule = new Uint32Array(64);
  for (let at = 0; at < padded.length; at += 64) compress(state, view, at, schedule);
  return Array.from(state, (x) => x.toString(16).padStart(8, '0')).join('');
}

/**
 * 128 bits (32 hex digits) over a list of parts, for ids. Each part carries its length, so that `['ab', 'c']` and
 * `['a', 'bc']` differ.
 */
export function hashParts(...parts: readonly (string | number)[]): string {
  return sha256Hex(parts.map((part) => `${String(part).length}:${part}`).join('|')).slice(0, 32);
}
