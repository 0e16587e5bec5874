import { z } from 'zod';

/** What people are told about a setting. */
export interface SettingHelp {
  readonly description: string;
  /** What happens while it is wrong, for the refusal. */
  readonly consequence: string;
  /** Shown in the reference where the default is not a constant. */
  readonly defaultText?: string;
  readonly isSecret?: boolean;
  readonly isFile?: boolean;
  readonly isSwitch?: boolean;
  /** Flag where it is not the name in kebab case. */
  readonly flag?: string;
}

const help = new WeakMap<z.ZodType, SettingHelp>();

/** Attaches the help to a setting's schema. */
export function setting<S extends z.ZodType>(schema: S, about: SettingHelp): S {
  help.set(schema, about);
  return schema;
}

/** The help of a setting; every setting has one. */
export function helpOf(schema: z.ZodType): SettingHelp {
  const found = help.get(schema);
  if (found === undefined) throw new Error('a setting without help');
  return found;
}

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NUMBER = /^[0-9]+(\.[0-9]+)?$/;
const WHOLE = /^[0-9]+$/;

/** A decimal above `above`, at most `max`. */
export const decimal = (above: number, max: number) =>
  z
    .string()
    .refine((text) => NUMBER.test(text) && Number(text) > above && Number(text) <= max, {
      message: `must be a number above ${above} and at most ${max}`,
    })
    .transform(Number);

/** A whole number between both bounds. */
export const whole = (min: number, max: number) =>
  z
    .string()
    .refine((text) => WHOLE.test(text) && Number(text) >= min && Number(text) <= max, {
      message: `must be a whole number from ${min} to ${max}`,
    })
    .transform(Number);

/** One of a few words. */
export const word = <const T extends readonly [string, ...string[]]>(words: T) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });

/** `true` or `false`; a flag without a value means `true`. */
export const flag = () => word(['true', 'false']).transform((text) => text === 'true');

/** Any text without control characters. */
export const line = (maxLength = 1024) =>
  z.string().regex(new RegExp(`^[^\\x00-\\x1f\\x7f]{1,${maxLength}}$`), {
    message: `must be one line of at most ${maxLength} characters`,
  });

/** Text that a header can bear: HTTP takes blanks around it away, and clients differ in how they send anything else. */
export const headerText = (maxLength: number) =>
  z.string().refine((text) => text.length <= maxLength && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text), {
    message: `must be at most ${maxLength} visible ASCII characters, without blanks around them`,
  });

/** A DNS label or subdomain. */
export const dnsName = () =>
  z.string().refine((text) => text.length <= 253 && SUBDOMAIN.test(text), { message: 'must be a DNS name' });

/** Items between commas, blanks around them ignored. */
const items = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** Namespaces between commas. */
export const namespaces = () =>
  items.refine((all) => all.every((item) => LABEL.test(item)), { message: 'must be namespaces, separated by commas' });

/** Words of a fixed list between commas; `none` for no word at all. */
export const wordsOf = <const T extends readonly string[]>(words: T) =>
  items
    .transform((all) => (all.length === 1 && all[0] === 'none' ? [] : all))
    .refine((all): all is T[number][] => all.every((item) => words.includes(item)), {
      message: `must be none, or some of ${words.join(', ')}, separated by commas`,
    });

/** An http or https address without userinfo and fragment. */
export const httpUrl = () =>
  z.string().refine(isPlainHttpUrl, {
    message: 'must be an http or https address without user name, password and fragment',
  });

/** True for an address that may be written into a file, a log or an error message as it is. */
export function isPlainHttpUrl(text: string): boolean {
  if (!URL.canParse(text) || /[\s\x00-\x1f\x7f]/.test(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '' && hash === '';
}

const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+=[\x21-\x2b\x2d-\x7e]*$/;

/** `name=value,name=value` as OpenTelemetry writes headers; `{}` for an empty text. */
export const otlpHeaders = () =>
  items
    .refine((all) => all.every((item) => HEADER.test(item) && canDecode(item)), {
      message: 'must be NAME=VALUE, separated by commas, values percent-encoded',
    })
    .transform((all): Readonly<Record<string, string>> =>
      Object.fromEntries(
        all.map((item) => {
          const at = item.indexOf('=');
          return [item.slice(0, at).toLowerCase(), decodeURIComponent(item.slice(at + 1))];
        }),
      ),
    );

function canDecode(text: string): boolean {
  try {
    return !/[\x00-\x1f\x7f]/.test(decodeURIComponent(text));
  } catch {
    return false;
  }
}

/** A PostgreSQL address; it may hold a password and is never shown. */
export const postgresUrl = () =>
  z.string().refine(isPostgresUrl, {
    message: 'must be an address that begins with postgres:// or postgresql://, its user and password percent-encoded',
  });

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  try {
    decodeURIComponent(username + password);
  } catch {
    return false;
  }
  return protocol === 'postgres:' || protocol === 'postgresql:';
}

/** A host that may be called, as the administrator lists it. */
export interface AllowedHost {
  readonly scheme: 'https' | 'http';
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string;
  /** Absent: the scheme's own port. */
  readonly port?: number;
}

const HOST = /^(?:(https?):\/\/)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::([0-9]{1,5}))?$/;

/** `hooks.example`, `hooks.example:8443`, `http://alertmanager:9093`; `undefined` for anything else. */
export function allowedHost(text: string): AllowedHost | undefined {
  const [, scheme = 'https', host, port] = HOST.exec(text) ?? [];
  if (host === undefined || Number(port ?? 1) > 65_535 || port === '0') return undefined;
  return {
    scheme: scheme === 'http' ? 'http' : 'https',
    host: host.toLowerCase().replace(/^\[|\]$/g, ''),
    ...(port !== undefined && { port: Number(port) }),
  };
}

/** Hosts between commas. */
export const hosts = () =>
  items
    .refine((all) => all.every((item) => allowedHost(item) !== undefined), {
      message: 'must be hosts, separated by commas: example.com, example.com:8443, http://alertmanager:9093',
    })
    .transform((all) => all.map(allowedHost).filter((host) => host !== undefined));
