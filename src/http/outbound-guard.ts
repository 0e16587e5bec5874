import { isIP } from 'node:net';
import { err, ok, type Result } from '../lib/result.ts';
import { classOf } from './address-class.ts';
import { hostOf, mayReach, originOf, parseTarget, type AllowedOrigin } from './allowed-origin.ts';

/** What the administrator allows to be called. */
export interface OutboundRules {
  readonly allowed: readonly AllowedOrigin[];
  /** Names and addresses of the API server; reachable only where the list names the very same. */
  readonly apiServer: readonly string[];
}

/** An address that may be called, and the entry of the list that allows it. */
export interface Destination {
  readonly url: URL;
  readonly entry: AllowedOrigin;
}

/** First check, on the text alone. Errors: a sentence. */
export function checkTarget(text: string, rules: OutboundRules): Result<Destination, string> {
  const target = parseTarget(text);
  if (!target.ok) return err(`the address ${target.error}`);
  const url = target.value;
  const entry = rules.allowed.find((each) => each.origin === originOf(url));
  if (entry === undefined) return err(`${originOf(url)} is not on the administrator's list`);
  const host = hostOf(url);
  const refusal = isIP(host) === 0 ? undefined : refuseAddress(host, entry, rules);
  if (refusal !== undefined) return err(refusal);
  return isApiServer(host, entry, rules) ? err(`${host} is the API server`) : ok({ url, entry });
}

/** Second check, on an address that the name led to; `undefined` lets pass. */
export function refuseAddress(address: string, entry: AllowedOrigin, rules: OutboundRules): string | undefined {
  if (!mayReach(entry, address) && !isListedBeside(address, entry, rules)) {
    return `${entry.host} leads to ${address}, where it may not`;
  }
  return isApiServer(address, entry, rules) ? `${entry.host} leads to the API server` : undefined;
}

/** A public name of a service in a private network: the administrator lists its address with the same port as well. */
function isListedBeside(address: string, entry: AllowedOrigin, { allowed }: OutboundRules): boolean {
  const { port } = new URL(entry.origin);
  return (
    classOf(address) === 'private' &&
    allowed.some((each) => each.host === address && new URL(each.origin).port === port)
  );
}

const isApiServer = (address: string, entry: AllowedOrigin, { apiServer }: OutboundRules): boolean =>
  apiServer.includes(address) && entry.host !== address;
