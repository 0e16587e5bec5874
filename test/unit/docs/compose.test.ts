import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../../../src/config/load.ts';
import { SETTING_NAMES, SETTINGS, type SettingName } from '../../../src/config/schema.ts';
import { helpOf } from '../../../src/config/setting.ts';

const FILE = join(import.meta.dirname, '../../../docker-compose.yaml');
const { environment } = (
  parse(readFileSync(FILE, 'utf8')) as { services: { aegis: { environment: Readonly<Record<string, string>> } } }
).services.aegis;

/** What the compose file, which serves the API alone, says itself or the image has said. */
const FIXED: readonly SettingName[] = ['AEGIS_CLUSTER', 'HOST', 'PORT', 'DATA_DIR', 'ALLOW_DEVELOPMENT_KEY'];
/** Of no use without a cluster. */
const OPERATOR = [
  ...(['KUBECONFIG', 'KUBE_CONTEXT', 'WATCH_NAMESPACES', 'ENABLED_ACTIONS', 'DRY_RUN', 'LEASE_NAME'] as const),
  ...(['LEASE_NAMESPACE', 'GUARDRAIL_CONFIG_MAP', 'POD_NAME', 'POD_NAMESPACE', 'OWN_RELIST_SECONDS'] as const),
  ...(['RELIST_SECONDS', 'ACTION_TTL_SECONDS', 'THROTTLE_HOOK_URL', 'THROTTLE_PROVIDERS', 'OUTBOUND_ALLOW'] as const),
  ...(['PROMETHEUS_BASIC_AUTH_USER', 'PROMETHEUS_TENANT', 'PROMETHEUS_SCRAPE_INTERVAL_SECONDS'] as const),
  'PROMETHEUS_TIMEOUT_SECONDS',
] as const satisfies readonly SettingName[];

test('docker-compose passes every setting of the API from .env, but those that are files', () => {
  const left = new Set<string>([...FIXED, ...OPERATOR]);
  const wanted = SETTING_NAMES.filter((name) => !left.has(name) && helpOf(SETTINGS[name]).isFile !== true);
  const passed = Object.keys(environment).filter((name) => environment[name]?.startsWith(`\${${name}:-`) === true);
  expect(wanted.filter((name) => !passed.includes(name))).toEqual([]);
});

test('with no .env at all it starts, and says that the published key is accepted', () => {
  const env = Object.fromEntries(
    Object.entries(environment).map(([name, text]) => [name, text.replace(/^\$\{\w+:-(.*)\}$/, '$1')]),
  );
  const loaded = loadConfig({ env: { ...env, HOST: '0.0.0.0' }, argv: [], readFile: () => undefined });
  expect(loaded.ok && loaded.value.warnings).toEqual([expect.stringContaining('dev_api_key') as unknown]);
});
