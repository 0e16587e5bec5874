import type { Kubectl } from './kubectl.ts';
import { waitUntil } from './wait.ts';

interface Definitions {
  readonly items: readonly {
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] | null };
  }[];
}

const LIMIT_MS = 60_000;

/**
 * Resolves when the API server serves every definition of custom objects that it holds. Not `kubectl wait`: just after an
 * apply the conditions of a definition are null, which it reports as an error instead of waiting.
 */
export async function untilEstablished(kubectl: Kubectl): Promise<void> {
  await waitUntil('custom resource definitions established', LIMIT_MS, async () => {
    const { items } = JSON.parse(await kubectl(['get', 'crd', '-o', 'json'])) as Definitions;
    return items.every(({ status }) =>
      status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True'),
    );
  });
}
