import { workloadSchema, type Fault, type Workload, type WorkloadSpec } from './workload.ts';

/** Steers the fake exporter. Every call has taken effect when it resolves; the next scrape shows it. */
export interface ExporterClient {
  /** Gives a workload's pods series, or replaces what they do. Faults not named in `spec` end. */
  setWorkload(namespace: string, name: string, spec: WorkloadSpec): Promise<void>;
  getWorkload(namespace: string, name: string): Promise<Workload>;
  removeWorkload(namespace: string, name: string): Promise<void>;
  addFault(namespace: string, name: string, fault: Fault): Promise<void>;
  clearFaults(namespace: string, name: string): Promise<void>;
  /** While active every scrape fails with 500, as when the metrics pipeline is down. */
  setOutage(active: boolean): Promise<void>;
  /** The page as Prometheus would see it now. */
  page(): Promise<string>;
}

export function exporterClient(baseUrl: string): ExporterClient {
  const call = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      signal: AbortSignal.timeout(10_000),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const path = (namespace: string, name: string): string => `/workloads/${namespace}/${name}`;
  return {
    async setWorkload(namespace, name, spec) {
      await call('PUT', path(namespace, name), spec);
    },
    async getWorkload(namespace, name) {
      return workloadSchema.parse(await (await call('GET', path(namespace, name))).json());
    },
    async removeWorkload(namespace, name) {
      await call('DELETE', path(namespace, name));
    },
    async addFault(namespace, name, fault) {
      await call('POST', `${path(namespace, name)}/faults`, fault);
    },
    async clearFaults(namespace, name) {
      await call('DELETE', `${path(namespace, name)}/faults`);
    },
    async setOutage(active) {
      await call('PUT', '/outage', { active });
    },
    async page() {
      return (await call('GET', '/metrics')).text();
    },
  };
}
