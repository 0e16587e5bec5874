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
  return launchPrometheus(stateDir, {
    ...{ command: options.command, listenAddress: `127.0.0.1:${options.port}` },
    scrapeIntervalSeconds: options.scrapeIntervalSeconds,
    scrapeConfigs: [
      {
        job_name: 'pods',
        honor_labels: true,
        static_configs: [{ targets: [`127.0.0.1:${options.exporterPort}`] }],
      },
      { job_name: 'more', honor_labels: true, ...targetsInFiles(stateDir) },
    ],
  });
}

/** Discovery by `targets/*.json`, seen at once when one changes. */
export function targetsInFiles(stateDir: string): object {
  const targetsDir = join(stateDir, 'targets');
  mkdirSync(targetsDir, { recursive: true });
  return { file_sd_configs: [{ files: [join(targetsDir, '*.json')], refresh_interval: '5s' }] };
}

export interface PrometheusLaunch {
  readonly command: string;
  /** HOST:PORT */
  readonly listenAddress: string;
  readonly scrapeIntervalSeconds: number;
  /** As in Prometheus's own configuration. */
  readonly scrapeConfigs: readonly object[];
}

export function launchPrometheus(stateDir: string, launch: PrometheusLaunch): DaemonRecord {
  const interval = `${launch.scrapeIntervalSeconds}s`;
  const config = {
    global: { scrape_interval: interval, scrape_timeout: interval },
    scrape_configs: launch.scrapeConfigs,
  };
  const configFile = join(stateDir, 'prometheus.json');
  writeFileSync(configFile, JSON.stringify(config));
  return startDaemon(stateDir, {
    name: 'prometheus',
    command: launch.command,
    args: [
      `--config.file=${configFile}`, // JSON is YAML
      `--storage.tsdb.path=${join(stateDir, 'prometheus-data')}`,
      '--storage.tsdb.retention.time=1d',
      `--web.listen-address=${launch.listenAddress}`,
      '--log.level=warn',
    ],
  });
}

/** Lets Prometheus scrape `http://HOST:PORT/metrics` too; seen at once, since it watches the folder. */
export function addScrapeTarget(stateDir: string, name: string, hostAndPort: string): void {
  writeTargets(stateDir, name, [{ targets: [hostAndPort], labels: { app: name } }]);
}

export interface TargetGroup {
  /** HOST:PORT of each. */
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Replaces the targets of one file. */
export function writeTargets(stateDir: string, name: string, groups: readonly TargetGroup[]): void {
  const path = join(stateDir, 'targets', `${name}.json`);
  writeFileSync(`${path}.new`, JSON.stringify(groups));
  renameSync(`${path}.new`, path); // never half a file
}
