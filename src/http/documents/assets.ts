import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Files of the documents that come from a package: served from here, never from another host. */
export const ASSETS = {
  'swagger-ui.css': { package: 'swagger-ui-dist', contentType: 'text/css; charset=utf-8' },
  'swagger-ui-bundle.js': { package: 'swagger-ui-dist', contentType: 'text/javascript; charset=utf-8' },
} as const;
export type AssetName = keyof typeof ASSETS;

const loaded = new Map<AssetName, Promise<Buffer>>();

/** Reads an asset once: from `assets/` beside the built program, else from its package. */
export function loadAsset(name: AssetName): Promise<Buffer> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const reading = readFile(fileURLToPath(new URL(`./assets/${name}`, import.meta.url))).catch(() =>
    readFile(createRequire(import.meta.url).resolve(`${ASSETS[name].package}/${name}`)),
  );
  loaded.set(name, reading);
  // A failure is not remembered: the next request tries again.
  reading.catch(() => loaded.delete(name));
  return reading;
}
