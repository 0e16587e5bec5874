import { describe, expect, test } from '@jest/globals';
import { classOf } from '../../../src/http/address-class.ts';
import { parseAllowedOrigin, toAllowedOrigin, type AllowedOrigin } from '../../../src/http/allowed-origin.ts';
import { checkTarget, refuseAddress } from '../../../src/http/outbound-guard.ts';
import { parseRetryAfter } from '../../../src/http/outbound.ts';

describe('class of an address', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['172.15.255.255', 'public'],
    ['2606:4700::1111', 'public'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd00::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['::ffff:10.0.0.1', 'private'],
    ['0.0.0.0', 'special'],
    ['::', 'special'],
    ['224.0.0.1', 'special'],
    ['255.255.255.255', 'special'],
    ['2002:7f00:1::', 'special'],
    ['ff02::1', 'special'],
    ['not an address', 'special'],
  ])('%s is %s', (address, expected) => {
    expect(classOf(address)).toBe(expected);
  });
});

const entry = (text: string): AllowedOrigin => {
  const parsed = parseAllowedOrigin(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

describe('entries of the administrator’s list', () => {
  test.each([
    ['a bare host means https', 'hooks.slack.com', 'https://hooks.slack.com', 'public'],
    ['http only where it says so', 'http://am.monitoring:9093', 'http://am.monitoring:9093', 'private'],
    [
      'a cluster name implies private addresses',
      'http://am.monitoring.svc:9093',
      'http://am.monitoring.svc:9093',
      'private',
    ],
    ['so does a single label', 'http://alertmanager:9093', 'http://alertmanager:9093', 'private'],
    ['localhost implies loopback', 'http://localhost:9093', 'http://localhost:9093', 'loopback'],
    ['an address means itself', 'http://10.0.0.5:9093', 'http://10.0.0.5:9093', 'this-address'],
    ['an IPv6 address too', 'http://[fd00::5]:9093', 'http://[fd00::5]:9093', 'this-address'],
  ])('%s', (_, text, origin, reach) => {
    expect(entry(text)).toMatchObject({ origin, reach });
  });

  test.each([
    ['a path', 'https://example.com/hook'],
    ['credentials', 'https://me:secret@example.com'],
    ['another scheme', 'ftp://example.com'],
    ['a blank', 'https://example.com private'],
    ['nothing', ''],
  ])('refused: %s', (_, text) => {
    expect(parseAllowedOrigin(text).ok).toBe(false);
  });
});

test.each([
  ['a name', { scheme: 'http', host: 'alertmanager', port: 9093 } as const, 'http://alertmanager:9093'],
  ['an IPv6 address', { scheme: 'https', host: 'fd00::5' } as const, 'https://[fd00::5]'],
])('an entry in parts: %s', (_, parts, origin) => {
  expect(toAllowedOrigin(parts)).toMatchObject({ ok: true, value: { origin } });
});

describe('which addresses may be called (S8)', () => {
  const allowed = [
    'hooks.slack.com',
    'https://alerts.example.com:8443',
    'http://plain.example.com',
    'http://am.monitoring.svc:9093',
    'http://10.0.0.5:9093',
    'https://alerts.corp.example:9093',
    'http://127.0.0.1:9094',
    'https://10.96.0.1',
    'https://kubernetes.default.svc',
  ].map(entry);
  const apiServer = ['kubernetes.default.svc', '10.96.0.1', '10.96.0.2', 'api.cluster.internal'];
  const addresses: Readonly<Record<string, readonly string[]>> = {
    'hooks.slack.com': ['3.4.5.6'],
    'alerts.example.com': ['10.0.0.7'],
    'alerts.corp.example': ['10.0.0.5'],
    'plain.example.com': ['5.6.7.8', '127.0.0.1'],
    'am.monitoring.svc': ['10.96.0.2'],
    'kubernetes.default.svc': ['169.254.169.254'],
  };
  /** Both checks, the second on what the name would lead to. */
  const verdictOn = (url: string): string => {
    const target = checkTarget(url, { allowed, apiServer });
    if (!target.ok) return `refused: ${target.error}`;
    const { entry: found } = target.value;
    const refusals = (addresses[found.host] ?? [found.host]).map((each) =>
      refuseAddress(each, found, { allowed, apiServer }),
    );
    const refusal = refusals.find((each) => each !== undefined);
    return refusal === undefined ? 'allowed' : `refused: ${refusal}`;
  };

  test.each([
    ['a listed host, which would be called', 'https://hooks.slack.com/x', false],
    ['a listed host in capitals', 'https://HOOKS.SLACK.COM/x', false],
    ['a listed host as an absolute name', 'https://hooks.slack.com./x', false],
    ['a listed host with the default port', 'https://hooks.slack.com:443/x', false],
    ['a listed private address', 'http://10.0.0.5:9093/x', false],
    ['a public name that leads to a listed private address', 'https://alerts.corp.example:9093/x', false],
    ['a listed loopback address', 'http://127.0.0.1:9094/x', false],
    ['a listed loopback address in hexadecimal', 'http://0x7f000001:9094/x', false],
    ['an API server that is itself on the list', 'https://10.96.0.1/x', false],
    ['a host that is not listed', 'https://example.org/x', true],
    ['a longer host', 'https://hooks.slack.com.evil.example/x', true],
    ['a sub-domain', 'https://x.hooks.slack.com/x', true],
    ['http instead of https', 'http://hooks.slack.com/x', true],
    ['https instead of http', 'https://plain.example.com/x', true],
    ['another port', 'https://hooks.slack.com:8443/x', true],
    ['the listed host’s default port where another is listed', 'https://alerts.example.com/x', true],
    ['another port of a listed address', 'http://127.0.0.1:9095/x', true],
    ['loopback', 'http://127.0.0.1/x', true],
    ['localhost', 'http://localhost:9094/x', true],
    ['loopback, short', 'http://127.1/x', true],
    ['loopback, decimal', 'http://2130706433/x', true],
    ['loopback, octal', 'http://0177.0.0.1/x', true],
    ['loopback, IPv6', 'http://[::1]:9094/x', true],
    ['loopback, mapped', 'http://[::ffff:127.0.0.1]:9094/x', true],
    ['unspecified', 'http://0.0.0.0:9094/x', true],
    ['cloud metadata', 'http://169.254.169.254/latest/meta-data', true],
    ['cloud metadata, mapped', 'http://[::ffff:a9fe:a9fe]/latest', true],
    ['a private address', 'http://10.0.0.6:9093/x', true],
    ['a private address, IPv6', 'http://[fd00::1]/x', true],
    ['the API server by name', 'https://api.cluster.internal/x', true],
    ['the API server by address', 'https://10.96.0.2/x', true],
    ['a listed name that leads to the API server', 'http://am.monitoring.svc:9093/x', true],
    ['a listed name that leads into a private network', 'https://alerts.example.com:8443/x', true],
    ['a listed name that leads also to loopback', 'http://plain.example.com/x', true],
    ['a listed name that leads to metadata', 'https://kubernetes.default.svc/x', true],
    ['credentials in the address', 'https://user:pass@hooks.slack.com/x', true],
    ['the host as a user name', 'https://hooks.slack.com@evil.example/x', true],
    ['a backslash', 'https://evil.example\\@hooks.slack.com/x', true],
    ['a line break', 'https://hooks.slack.com/x\r\nHost: evil', true],
    ['a tab inside of the host', 'https://hooks.sl\tack.com/x', true],
    ['a blank before', ' https://hooks.slack.com/x', true],
    ['a homoglyph', 'https://hооks.slack.com/x', true],
    ['8 KiB', `https://hooks.slack.com/${'a'.repeat(8192)}`, true],
    ['file:', 'file:///etc/passwd', true],
    ['javascript:', 'javascript:alert(1)', true],
    ['gopher:', 'gopher://hooks.slack.com/x', true],
    ['no scheme', 'hooks.slack.com/x', true],
    ['nothing', '', true],
  ])('%s', (_, url, isRefused) => {
    expect(verdictOn(url)).toMatch(isRefused ? /^refused: / : /^allowed$/);
  });
});

test.each([
  ['seconds', '30', 30_000],
  ['zero', '0', 0],
  ['an hour is capped', '3600', 300_000],
  ['a date', new Date(90_000).toUTCString(), 80_000],
  ['a past date', new Date(0).toUTCString(), 0],
  ['garbage', 'soon', undefined],
  ['a negative number', '-5', undefined],
  ['a bare year', '2030-01-01', undefined],
  ['nothing', undefined, undefined],
])('Retry-After: %s', (_, header, expected) => {
  expect(parseRetryAfter(header, 10_000)).toBe(expected);
});
