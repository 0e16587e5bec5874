/**
 * Every refusal that has no list of problems: name -> status and the text under `detail`. The OpenAPI document is made
 * from the same table, so a status that is not here cannot be answered.
 */
export const REFUSALS = {
  malformed: [400, 'The request is not well-formed HTTP.'],
  unauthorized: [401, 'The X-API-Key header is missing or its key is not valid.'],
  forbidden: [403, 'The key does not have the scope that this route needs.'],
  notFound: [404, 'There is no such route.'],
  methodNotAllowed: [405, 'The route does not have this method.'],
  timeout: [408, 'The request did not arrive in time.'],
  bodyTooLarge: [413, 'The body is larger than 2 MiB.'],
  urlTooLong: [414, 'The address is longer than 8 KiB.'],
  unsupportedMediaType: [415, 'The body must be uncompressed application/json in UTF-8.'],
  expectationFailed: [417, 'The expectation is not supported.'],
  lockedOut: [429, 'Too many bad keys came from this address. Try again later.'],
  tooManyRequests: [429, 'Too many requests. Try again later.'],
  headersTooLarge: [431, 'The headers are larger than 16 KiB.'],
  internal: [500, 'The server failed. The failure was logged.'],
  storeUnavailable: [503, 'The store is not available. Detection goes on.'],
} as const satisfies Record<string, readonly [status: number, detail: string]>;

export type Refusal = keyof typeof REFUSALS;

/** The body of a refusal; the same bytes for everyone who is refused for the same cause. */
export const bodyOf = (refusal: Refusal): string => JSON.stringify({ detail: REFUSALS[refusal][1] });
export const statusOf = (refusal: Refusal): number => REFUSALS[refusal][0];
