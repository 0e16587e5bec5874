import type { LogSignature } from './log-signatures.ts';

/**
 * Three characters each (letters in lower case) of which at least one stands in every text that the signature's pattern
 * matches: a line without them need not be tried. Most lines are without any, and eighteen patterns a line are most of
 * what reading logs costs. A property test holds them to the patterns.
 */
const ANCHORS: Readonly<Record<LogSignature, readonly string[]>> = {
  'out-of-memory': ['ofm', 'f m', 'p o', 'nno', 'yer', 'p l', 'mki', 'va ', 'nom'],
  'gc-pause': ['gc ', 'p-t', 'l g', 'g g', 'r g', 'k-s', 'k-c'],
  'slow-request': ['slo', 'too'],
  'rate-limited': ['429', 'too', 'lim'],
  retrying: ['etr', 'mpt', 'aga'],
  panic: ['nic', 'ceb', 'unh', 'aug', 'egm', 'gse', 'gab', 'fat', 'thr', 'ump'],
  'missing-reference': ['uch', 'noe', 'mis', 'onm', 'onf', 'ett', 'ecr'],
  'pool-exhausted': ['poo', 'too', 'meo', 'slo', 'cqu', 'uld', 'vai'],
  'connection-refused': ['efu', 't f', 'o h', 'tun', 'pst'],
  'connection-reset': ['nre', 'n r', 'pip', 'g u', 'eof', '/o '],
  deadline: ['adl', 'tim'],
  'bad-gateway': ['502', '503', '504', 'd g', 'una', 'tew', 'pst'],
  dns: ['ai_', 'otf', 'dri', 'h h', 'rvf', 'nxd', 'sol', 'mpo', 'kno', 'oku'],
  certificate: ['509', 't_h', 'tif', 'lha', 't_n'],
  authentication: ['uth', 'eni', 'nva', '401', '403', 'gin', 'oke', 'gpa', 'ede'],
  'disk-full': ['osp', 'spa', 'ful', 'quo'],
  lock: ['ock', 'usy'],
  'process-exit': ['utt', 'exi', 'rmi', 'una', 'dow', 'opp', 'gte', 'gki', 'cra'],
};

/** Five bits of each character, of the last three: a table of 64 KiB. Two that share a place only cost a try. */
const PLACES = 0x3fff;
/** Makes ASCII letters lower case; what it does to other characters, it does to anchors and lines alike. */
const LOWER = 0x20;

const after = (place: number, code: number): number => ((place << 5) ^ (code | LOWER)) & PLACES;

/** Finds in one pass over a line which signatures it may have: bit i stands for the i-th of `signatures`. */
export function createSieve(signatures: readonly LogSignature[]): (line: string) => number {
  const masks = new Int32Array(PLACES + 1);
  signatures.forEach((signature, i) => {
    for (const anchor of ANCHORS[signature]) {
      let place = 0;
      for (let at = 0; at < anchor.length; at++) place = after(place, anchor.charCodeAt(at));
      masks[place] = (masks[place] ?? 0) | (1 << i);
    }
  });
  return (line) => {
    let place = 0;
    let mask = 0;
    for (let at = 0; at < line.length; at++) {
      place = after(place, line.charCodeAt(at));
      mask |= masks[place] ?? 0;
    }
    return mask;
  };
}
