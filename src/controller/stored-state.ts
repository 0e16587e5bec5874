import type { Log } from '../lib/log.ts';
import type { Store } from './store-ports.ts';

/** What the log says of a stored state that cannot be taken up. */
interface Warnings {
  /** The store does not answer. */
  readonly unread: string;
  /** What it has is no JSON, or `take` fails on it. */
  readonly damaged: string;
}

/**
 * Hands what the last leader left as JSON to `take`, if there is any. What is damaged is warned of and begun anew. False: the store
 * does not answer, so nobody knows what there is.
 */
export async function takeUp<T>(
  {
    store,
    key,
    log,
    warnings,
  }: {
    readonly store: Pick<Store, 'loadBlob'>;
    readonly key: string;
    readonly log: Log;
    readonly warnings: Warnings;
  },
  take: (state: T) => void,
): Promise<boolean> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await store.loadBlob(key);
  } catch (error) {
    log.warn(warnings.unread, { err: error });
    return false;
  }
  try {
    if (bytes !== undefined) take(JSON.parse(new TextDecoder().decode(bytes)) as T);
  } catch (error) {
    log.warn(warnings.damaged, { err: error });
  }
  return true;
}
