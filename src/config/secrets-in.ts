import type { Config } from './config.ts';

/** Every secret that the settings themselves hold, for the logger to black out. */
export function secretsIn({ http, store, tracing }: Config): readonly string[] {
  const { keys } = http;
  return [
    ...(keys.kind === 'configured' && keys.apiKey !== undefined ? [keys.apiKey.reveal()] : []),
    ...(tracing === undefined ? [] : Object.values(JSON.parse(tracing.headers.reveal()) as Record<string, string>)),
    ...(store.kind === 'postgres' ? secretsOfAddress(store.url.reveal()) : []),
  ];
}

/** The address as a whole, and the password that it may bear: faults of the driver could name either. */
function secretsOfAddress(url: string): readonly string[] {
  const { password, searchParams } = new URL(url);
  const given = [password, decodeURIComponent(password), searchParams.get('password') ?? ''];
  return [url, ...given.filter((text) => text !== '')];
}
