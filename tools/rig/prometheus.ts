import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemon, type DaemonRecord } from './processes.ts';

export interface PrometheusOptions {
  readonly command: string;
  readonly port: number;
  readonly exporterPort: number;
  readonly scrapeIntervalSeconds: number;
}

/**
 * Starts Prometheus on the fake exporter. `honor_labels` keeps the pod's own `namespace` and `pod`, as a scrape of cAdvisor
 * would; `targets/*.json` lets tests and the demo add pages of their own while it runs.
 */
export function startPrometheus(stateDir: string, options: PrometheusOptions): DaemonRecord {
  const targetsDir = join(stateDir, 'targets');
  mkdirSync(targetsDir, { recursive: true });
  const config = {
    global: {
      scrape_interval: `${options.scrapeIntervalSeconds}s`,
      scrape_timeout: `${options.scrapeIntervalSeconds}s`,
    },
    scrape_configs: [
      {
        job_name: 'pods',
        honor_labels: true,
        static_configs: [{ targets: [`127.0.0.1:${options.exporterPort}`] }],
      },
      {
        job_name: 'more',
        honor_labels: true,
        file_sd_configs: [{ files: [join(targetsDir, '*.json')], refresh_interval: '5s' }],
      },
    ],
  };
  const configFile = join(stateDir, 'prometheus.json');
  writeFileSync(configFile, JSON.stringify(config));
  return startDaemon(stateDir, {
    name: 'prometheus',
    command: options.command,
    args: [
      `--config.file=${configFile}`, // JSON is YAML
      `--storage.tsdb.path=${join(stateDir, 'prometheus-data')}`,
      '--storage.tsdb.retention.time=1d',
      `--web.listen-address=127.0.0.1:${options.port}`,
      '--log.level=warn',
    ],
  });
}

/** Lets Prometheus scrape `http://HOST:PORT/metrics` too; seen at once, since it watches the folder. */
export function addScrapeTarget(stateDir: string, name: string, hostAndPort: string): void {
  const path = join(stateDir, 'targets', `${name}.json`);
  writeFileSync(`${path}.new`, JSON.stringify([{ targets: [hostAndPort], labels: { app: name } }]));
  renameSync(`${path}.new`, path); // never half a file
}
