import type { Store } from './store-ports.ts';

/** So many versions ahead an older program looks for what a newer one has left. */
const AHEAD = 3;

/** Where models of this version of the snapshot are kept. Releases before the versions had keys wrote under the bare key. */
export const modelKey = (key: string, version: number): string => `${key}@${version}`;

/** What there is to begin with. */
export interface StoredModels {
  /** Of this version, else the newest of an older one; absent: none is stored. */
  readonly bytes?: Uint8Array;
  /** Version of models that a newer release has stored and this one leaves alone; absent: there are none. */
  readonly newer?: number;
}

/** Rejects if the store cannot be read. */
export async function storedModels(
  store: Pick<Store, 'loadBlob'>,
  key: string,
  version: number,
): Promise<StoredModels> {
  const newer = await newerThan(store, key, version);
  const keys = Array.from({ length: version }, (_, index) => modelKey(key, version - index));
  for (const each of [...keys, key]) {
    const bytes = await store.loadBlob(each);
    if (bytes !== undefined) return { bytes, ...newer };
  }
  return { ...newer };
}

async function newerThan(
  store: Pick<Store, 'loadBlob'>,
  key: string,
  version: number,
): Promise<Pick<StoredModels, 'newer'>> {
  for (let newer = version + AHEAD; newer > version; newer--) {
    if ((await store.loadBlob(modelKey(key, newer))) !== undefined) return { newer };
  }
  return {};
}
