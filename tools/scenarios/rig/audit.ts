import { existsSync, readFileSync } from 'node:fs';
import { at, record, text, type Json } from '../../../src/kubernetes/json.ts';

/** One write to somebody's workload, as the API server saw it. */
export interface AuditedWrite {
  readonly atMs: number;
  /** `evict checkout-7d9-x2k`, with the pod's own name. */
  readonly what: string;
  readonly applied: boolean;
}

const LIMITS = ['backendtrafficpolicies', 'envoyfilters', 'ingresses'];

/** What this account wrote to workloads and their surroundings, dry runs left out, by the API server's own log. */
export function writesOf(auditFile: string, account: string): readonly AuditedWrite[] {
  const lines = existsSync(auditFile) ? readFileSync(auditFile, 'utf8').split('\n') : [];
  return lines
    .filter((line) => line.includes(account))
    .flatMap((line): readonly AuditedWrite[] => {
      const entry = record(JSON.parse(line));
      const what = at(entry, 'user')['username'] === account ? writeIn(entry) : undefined;
      if (what === undefined) return [];
      const status = Number(at(entry, 'responseStatus')['code']);
      const atMs = Date.parse(text(entry['requestReceivedTimestamp']));
      return [{ atMs, what, applied: status >= 200 && status < 300 }];
    });
}

function writeIn(entry: Json): string | undefined {
  const { resource, name, subresource } = at(entry, 'objectRef');
  const body = at(entry, 'requestObject');
  const isDry = text(entry['requestURI']).includes('dryRun=All') || 'dryRun' in at(body, 'deleteOptions');
  if (isDry) return undefined;
  const [kind, object] = [text(resource), text(name)];
  if (subresource === 'eviction') return `evict ${object}`;
  if (subresource === 'scale') return `scale ${object} to ${String(at(body, 'spec')['replicas'])}`;
  if (kind === 'horizontalpodautoscalers') return `minimum ${object} to ${String(at(body, 'spec')['minReplicas'])}`;
  if (LIMITS.includes(kind) && subresource === undefined) {
    return `${entry['verb'] === 'delete' ? 'unlimit' : 'limit'} ${kind}`;
  }
  const isWorkload = ['deployments', 'statefulsets', 'daemonsets'].includes(kind);
  if (isWorkload && subresource === undefined) return `rollout ${object}`;
  return kind === 'pods' && subresource === undefined ? `${text(entry['verb'])} pod ${object}` : undefined;
}
