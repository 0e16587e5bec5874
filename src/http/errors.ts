/**
 * Every refusal that has no list of problems: name -> status and the text under `detail`. The OpenAPI document is made
 * from the same table, so a status that is not here cannot be answered.
 */
export const REFUSALS = {
  malformed: [400, 'The request is not well-formed HTTP.'],
  idempotencyKeyMissing: [400, 'The Idempotency-Key header is needed: 1 to 128 visible ASCII characters.'],
  unauthorized: [401, 'The X-API-Key header is missing or its key is not valid.'],
  forbidden: [403, 'The key does not have the scope that this route needs.'],
  foreignHost: [403, 'Without a key of your own only requests to this machine are answered. Set API_KEY.'],
  notFound: [404, 'There is no such route.'],
  decisionNotFound: [404, 'There is no decision with this id, or it is forgotten.'],
  actionNotFound: [404, 'There is no such action.'],
  methodNotAllowed: [405, 'The route does not have this method.'],
  timeout: [408, 'The request did not arrive in time.'],
  idempotencyKeyReused: [409, 'This Idempotency-Key was used for another request.'],
  approvalNotAwaited: [409, 'The action awaits no approval, or no longer.'],
  approvalAnswered: [409, 'The action was answered already: an answer never changes.'],
  approvalExpired: [409, 'The time to answer is over.'],
  approvalOtherPolicy: [409, 'policy_hash is not that of the action: it was decided under another policy.'],
  approvalChanged: [409, 'The action changed meanwhile. Look at it again.'],
  bodyTooLarge: [413, 'The body is larger than 2 MiB.'],
  urlTooLong: [414, 'The address is longer than 8 KiB.'],
  unsupportedMediaType: [415, 'The body must be uncompressed application/json in UTF-8.'],
  linesExpected: [415, 'The body must be uncompressed application/x-ndjson in UTF-8: one JSON object a line.'],
  expectationFailed: [417, 'The expectation is not supported.'],
  lockedOut: [429, 'Too many bad keys came from this address. Try again later.'],
  tooManyRequests: [429, 'Too many requests. Try again later.'],
  tooManyStreams: [429, 'Too many streams are open. Try again later.'],
  headersTooLarge: [431, 'The headers are larger than 16 KiB.'],
  internal: [500, 'The server failed. The failure was logged.'],
  notLeading: [503, 'This replica does not lead, or not surely. Try again.'],
  clusterUnavailable: [503, 'The cluster did not take the answer. Try again.'],
  stopping: [503, 'The server stops. Send this line and those after it again.'],
  storeUnavailable: [503, 'The store is not available. Detection goes on.'],
} as const satisfies Record<string, readonly [status: number, detail: string]>;

export type Refusal = keyof typeof REFUSALS;

/** What RFC 9457 puts beside `detail`. The type is an identifier: nothing is served under it. */
export interface ProblemFields {
  readonly type: string;
  /** The same for all problems of the type. */
  readonly title: string;
  readonly status: number;
}

/** `methodNotAllowed` -> `tag:aegis.dev,2026:method-not-allowed`, "Method not allowed". */
export function problemFields(name: string, status: number): ProblemFields {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return {
    type: `tag:aegis.dev,2026:${words.replaceAll(' ', '-')}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status,
  };
}

const BODIES = new Map(
  Object.entries(REFUSALS).map(([name, [status, detail]]) => [
    name,
    JSON.stringify({ detail, ...problemFields(name, status) }),
  ]),
);

/** The body of a refusal; the same bytes for everyone who is refused for the same cause. */
export const bodyOf = (refusal: Refusal): string => BODIES.get(refusal) ?? '';
export const statusOf = (refusal: Refusal): number => REFUSALS[refusal][0];
