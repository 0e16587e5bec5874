import { V1MicroTime } from '@kubernetes/client-node/dist/types.js';

/** A `metav1.MicroTime` as the API server wants it: RFC 3339 with exactly six digits of fraction. */
export const microTime = (epochMs: number): string => new V1MicroTime(epochMs).toISOString();
