import type { IncomingMessage } from 'node:http';

/** A request that is being traced. */
export interface RequestSpan {
  end(status: number): void;
}

/** Makes spans of requests; there is one only where an endpoint for traces is configured. */
export interface RequestTracer {
  /** Goes on with the caller's trace where the request names one (`traceparent`). */
  begin(request: IncomingMessage, route: string, requestId: string): RequestSpan;
}
