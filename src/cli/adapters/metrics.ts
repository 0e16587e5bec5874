import { readFileSync } from 'node:fs';
import { loadConfig } from '../../config/load.ts';
import type { MetricSource } from '../../controller/ports.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { createMetricSource } from '../../prometheus/metric-source.ts';
import { systemClock } from '../../system-clock.ts';
import { silentLog } from './silent-log.ts';

/** The same adapter as the operator's, with the same settings (`PROMETHEUS_*`); `url` wins over the environment. */
export function openMetrics(
  env: Readonly<Record<string, string | undefined>>,
  url: string | undefined,
): Result<MetricSource, string> {
  const known = Object.entries(env).filter(([name]) => name.startsWith('PROMETHEUS_'));
  const given = { ...Object.fromEntries(known), ...(url !== undefined && { PROMETHEUS_URL: url }) };
  const config = loadConfig({ env: given, argv: [], readFile: fileText });
  if (!config.ok) return err(config.error.map(({ path, message }) => `${path} ${message}`).join('\n'));
  const { prometheus } = config.value;
  if (prometheus === undefined)
    return err('no Prometheus: set PROMETHEUS_URL, or give --prometheus URL or --samples FILE');
  return ok(createMetricSource({ ...prometheus, log: silentLog }, systemClock));
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
