import { isIP } from 'node:net';
import { err, ok, type Result } from '../lib/result.ts';
import { classOf, type AddressClass } from './address-class.ts';

/** One entry of the administrator's list: a scheme, host and port, and where the host's addresses may lead. */
export interface AllowedOrigin {
  /** `https://hooks.slack.com`, as `URL.origin` writes it. */
  readonly origin: string;
  /** Host without brackets or trailing dot. */
  readonly host: string;
  readonly reach: 'public' | 'private' | 'loopback' | 'this-address';
}

/**
 * Reads an entry: `hooks.slack.com`, `https://alerts.example.com:8443`, `http://alertmanager.monitoring:9093`. A public
 * name may lead to public addresses only. A name that only a cluster can resolve (one label, or `.svc`, `.local`,
 * `.internal` at its end), and any that is listed as plain http, may lead to private ones too; `localhost` to loopback
 * and a literal address to itself. Any name may lead to a private address that is on the list as well, with its port.
 */
export function parseAllowedOrigin(entry: string): Result<AllowedOrigin, string> {
  const url = parseTarget(entry.includes('://') ? entry : `https://${entry}`);
  if (!url.ok) return err(`${entry}: ${url.error}`);
  if (url.value.pathname !== '/' || url.value.search !== '') return err(`${entry}: only scheme, host and port`);
  const host = hostOf(url.value);
  return ok({ origin: originOf(url.value), host, reach: impliedReach(url.value, host) });
}

/** The same of an entry that was taken apart already. */
export function toAllowedOrigin(entry: {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port?: number;
}): Result<AllowedOrigin, string> {
  const host = isIP(entry.host) === 6 ? `[${entry.host}]` : entry.host;
  return parseAllowedOrigin(`${entry.scheme}://${host}${entry.port === undefined ? '' : `:${entry.port}`}`);
}

function impliedReach({ protocol }: URL, host: string): AllowedOrigin['reach'] {
  if (isIP(host) !== 0) return 'this-address';
  if (host === 'localhost' || host.endsWith('.localhost')) return 'loopback';
  // `http://alertmanager.monitoring:9093` is a service of the cluster, though its name could be a public one.
  return protocol === 'http:' || !host.includes('.') || /\.(svc|local|internal)$/.test(host) ? 'private' : 'public';
}

const MAX_URL = 2048;

/** Parses an address that is to be called; refuses what parsers read differently or silently repair. */
export function parseTarget(text: string): Result<URL, string> {
  if (text.length > MAX_URL) return err('longer than 2,048 characters');
  // URL drops tabs and line breaks, and takes a backslash for a slash.
  if (!/^[\x21-\x5b\x5d-\x7e]+$/.test(text)) return err('holds blanks, control, backslash or non-ASCII characters');
  if (!URL.canParse(text)) return err('is no URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return err(`scheme ${url.protocol} is not http(s)`);
  if (url.username !== '' || url.password !== '') return err('holds credentials');
  return ok(url);
}

/** Host in the form in which hosts are compared. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

/** Origin without the trailing dot of an absolute name. */
export const originOf = (url: URL): string => url.origin.replace(/\.(?=(:\d+)?$)/, '');

/** May an entry's host be reached at this address? */
export function mayReach(entry: AllowedOrigin, address: string): boolean {
  if (entry.reach === 'this-address') return address === entry.host;
  const allowed: Readonly<Record<typeof entry.reach, readonly AddressClass[]>> = {
    public: ['public'],
    private: ['public', 'private'],
    loopback: ['loopback'],
  };
  return allowed[entry.reach].includes(classOf(address));
}
