import type { KubeClient } from '../../../src/kubernetes/client.ts';
import type { Resource } from '../../../src/kubernetes/resources.ts';
import type { Rig } from '../../rig/rig.ts';

interface Target {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name: string;
}

/** Who makes what a scenario says, with all rights on the rig. */
export class Administrator {
  readonly #rig: Rig;
  readonly #client: KubeClient;

  constructor({ rig, client }: { readonly rig: Rig; readonly client: KubeClient }) {
    this.#rig = rig;
    this.#client = client;
  }

  /** As `kubectl apply` does. */
  async apply(...items: readonly object[]): Promise<void> {
    if (items.length === 0) return;
    await this.#rig.kubectl(['apply', '-f', '-'], { stdin: { apiVersion: 'v1', kind: 'List', items } });
  }

  /** Applies in the name of another field manager. */
  async applyAs(manager: string, object: object): Promise<void> {
    const apply = ['apply', '--server-side', '--force-conflicts', `--field-manager=${manager}`, '-f', '-'];
    await this.#rig.kubectl(apply, { stdin: object });
  }

  /** Writes a part of an object, or of its status. What is gone is left alone. */
  async patch(target: Target, body: object, subresource?: 'status'): Promise<void> {
    const path = subresource === undefined ? target : { ...target, subresource };
    const reply = await this.#client.call({ method: 'PATCH', target: path, body, patch: 'merge' });
    if (!reply.ok && reply.error.kind !== 'NotFound') {
      throw new Error(`${target.resource.plural} ${target.name}: ${reply.error.message}`);
    }
  }

  async delete(target: Target): Promise<void> {
    await this.#client.call({ method: 'DELETE', target });
  }
}
