import type { CallEdge, ClaimRoom, DnsPods, MetricEvidenceSource } from '../../../src/controller/evidence-ports.ts';
import type { EvidenceAdapters } from '../../../src/controller/evidence-desk.ts';
import type { SourceError } from '../../../src/controller/ports.ts';
import { ClusterEvidenceReader } from '../../../src/kubernetes/evidence/evidence-reader.ts';
import { err, ok } from '../../../src/lib/result.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { fakeClient } from '../builders/kubernetes.ts';
import { StoredObjects } from './stored-objects.ts';

/** What a cluster knows besides pods and metrics. The real reader reads the objects; the rest answers as a test says. */
export class FakeEvidence implements MetricEvidenceSource {
  readonly objects = new StoredObjects();
  rooms: readonly ClaimRoom[] = [];
  edges: readonly CallEdge[] | undefined;
  dns: DnsPods | undefined = { name: 'kube-system/kube-dns', ready: 2, total: 2 };
  fault: SourceError | undefined;
  /** Questions to the metric server. */
  readonly asked: string[] = [];

  claims(namespace: string, names: readonly string[]) {
    this.asked.push(`claims of ${namespace}: ${names.join(' ')}`);
    return Promise.resolve(this.fault === undefined ? ok(this.rooms) : err(this.fault));
  }

  calls(namespaces: readonly string[]) {
    this.asked.push(`calls of ${namespaces.join(' ')}`);
    return Promise.resolve(this.fault === undefined ? ok(this.edges) : err(this.fault));
  }

  adapters(clock: Clock): EvidenceAdapters {
    const cluster = new ClusterEvidenceReader({ client: fakeClient(this.objects.reply), clock });
    return { cluster, metrics: this, dns: { dnsPods: () => this.dns } };
  }
}
