import { BlockList, isIP } from 'node:net';

/** Where an address leads. `special`: unspecified, multicast, reserved or tunnelled; nothing to be posted to. */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link-local' | 'special';

type Range = readonly [network: string, prefix: number];

const RANGES: readonly (readonly [AddressClass, readonly Range[], readonly Range[]])[] = [
  ['loopback', [['127.0.0.0', 8]], [['::1', 128]]],
  ['link-local', [['169.254.0.0', 16]], [['fe80::', 10]]],
  [
    'private',
    [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
      ['100.64.0.0', 10],
    ],
    [['fc00::', 7]],
  ],
  [
    'special',
    [
      ['0.0.0.0', 8],
      ['192.0.0.0', 24],
      ['192.0.2.0', 24],
      ['192.88.99.0', 24],
      ['198.18.0.0', 15],
      ['198.51.100.0', 24],
      ['203.0.113.0', 24],
      ['224.0.0.0', 4],
      ['240.0.0.0', 4],
    ],
    [
      ['::', 128],
      ['100::', 64],
      ['2001::', 32],
      ['2001:db8::', 32],
      ['2002::', 16],
      ['fec0::', 10],
      ['ff00::', 8],
    ],
  ],
];

const LISTS = RANGES.map(([name, four, six]) => {
  const list = new BlockList();
  for (const [network, prefix] of four) list.addSubnet(network, prefix, 'ipv4');
  for (const [network, prefix] of six) list.addSubnet(network, prefix, 'ipv6');
  return [name, list] as const;
});

/** Class of an IP address in text form; whatever is none is `special`. */
export function classOf(address: string): AddressClass {
  const family = isIP(address);
  if (family === 0) return 'special';
  const embedded = family === 6 ? embeddedIPv4(address) : undefined;
  if (embedded !== undefined) return classOf(embedded);
  const version = family === 4 ? 'ipv4' : 'ipv6';
  return LISTS.find(([, list]) => list.check(address, version))?.[0] ?? 'public';
}

/** IPv4 inside of IPv6: mapped, compatible and NAT64 (64:ff9b::/96) addresses lead to the IPv4 address. */
function embeddedIPv4(address: string): string | undefined {
  const words = expand(address);
  const prefix = words.slice(0, 6).join(':');
  const isEmbedded =
    prefix === '0:0:0:0:0:65535' || prefix === '100:65435:0:0:0:0' || (prefix === '0:0:0:0:0:0' && (words[6] ?? 0) > 0);
  if (!isEmbedded) return undefined;
  const [high = 0, low = 0] = words.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight words of an IPv6 address. */
function expand(address: string): readonly number[] {
  const text = address.replace(/%.*$/, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const word = (high: string, low: string): string => ((Number(high) << 8) | Number(low)).toString(16);
    return `${word(String(a), String(b))}:${word(String(c), String(d))}`;
  });
  const [head = '', tail] = text.split('::');
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').map((word) => parseInt(word, 16)));
  const left = words(head);
  if (tail === undefined) return left;
  const right = words(tail);
  return [...left, ...Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
}

/**
 * What counts as one caller when addresses are counted: an IPv4 address itself, of IPv6 the first 56 bits, since the
 * owner of such a network has as many addresses as there are grains of sand.
 */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const embedded = embeddedIPv4(address);
  if (embedded !== undefined) return embedded;
  const [a = 0, b = 0, c = 0, d = 0] = expand(address);
  return `${[a, b, c, d & 0xff00].map((word) => word.toString(16)).join(':')}::/56`;
}
