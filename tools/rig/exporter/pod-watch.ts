import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { podSchema, toPod, type Pod } from './pods.ts';

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  items: z.array(podSchema),
});
const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED']), object: podSchema }),
  z.object({ type: z.enum(['BOOKMARK', 'ERROR']), object: z.unknown() }),
]);

/**
 * The pods of one namespace: a list, then a watch, and again from the start whenever the watch ends for whatever reason.
 * The API server's certificate is trusted through NODE_EXTRA_CA_CERTS, which the rig sets.
 */
export class PodWatch {
  private pods = new Map<string, Pod>();
  private readonly stopped = new AbortController();
  private readonly url: string;
  private readonly token: string;

  constructor(apiServerUrl: string, token: string, namespace: string) {
    this.url = `${apiServerUrl}/api/v1/namespaces/${namespace}/pods`;
    this.token = token;
    void this.run();
  }

  list(): readonly Pod[] {
    return [...this.pods.values()];
  }

  stop(): void {
    this.stopped.abort();
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      try {
        await this.follow(await this.relist());
      } catch {
        // An API server that is paused or restarted by a test is no reason to die; the next list repairs all.
      }
      if (!this.stopped.signal.aborted) await sleep(500);
    }
  }

  private async relist(): Promise<string> {
    const response = await this.get('');
    const { items, metadata } = listSchema.parse(await response.json());
    this.pods = new Map(items.map((item) => [item.metadata.name, toPod(item)]));
    return metadata.resourceVersion;
  }

  private async follow(resourceVersion: string): Promise<void> {
    const response = await this.get(`?watch=true&resourceVersion=${resourceVersion}&timeoutSeconds=300`);
    let pending = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const lines = (pending + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines.filter((each) => each !== '')) this.apply(eventSchema.parse(JSON.parse(line)));
    }
  }

  private apply(event: z.infer<typeof eventSchema>): void {
    if (event.type === 'ERROR') throw new Error('the watch has expired');
    if (event.type === 'BOOKMARK') return;
    const pod = event.object as z.infer<typeof podSchema>;
    if (event.type === 'DELETED') this.pods.delete(pod.metadata.name);
    else this.pods.set(pod.metadata.name, toPod(pod));
  }

  private async get(query: string): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}` };
    const response = await fetch(this.url + query, { headers, signal: this.stopped.signal });
    if (!response.ok) throw new Error(`GET ${this.url}: ${response.status}`);
    return response;
  }
}
