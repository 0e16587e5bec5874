import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { ApiKey, Scope } from './access/api-key.ts';
import type { Refusal } from './errors.ts';
import type { HeaderList, Reply } from './reply.ts';

/** What a handler gets: everything before it has been checked. */
export interface Call<Body, Query> {
  readonly body: Body;
  readonly query: Query;
  /** Also in the answer's `x-request-id` and in the log. */
  readonly requestId: string;
  readonly nowMs: number;
  /** The named parts of the path, such as `id`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The key that was let in; absent on open routes. */
  readonly caller?: ApiKey;
  /** `Idempotency-Key` of a keyed route; absent: there is none that can be used. */
  readonly idempotencyKey?: string;
}

/** A request whose answer is written piece by piece, after all checks that come before a body. */
export interface StreamCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly caller: ApiKey;
  /** Headers that every answer of this request has. */
  readonly head: HeaderList;
}

/** Body and content type of a successful answer, for the documents. */
type AnswerShape =
  | { readonly schema: z.ZodType; readonly description: string }
  | { readonly contentType: string; readonly description: string };

/**
 * A route as data: the server makes it real and the OpenAPI document shows it, so neither can know one that the other
 * does not.
 */
export interface Route<Body = unknown, Query = unknown> {
  readonly method: 'GET' | 'POST';
  /** As OpenAPI writes it: `/api/v1/decisions/{id}`. */
  readonly path: string;
  /** `open`: no key needed. */
  readonly access: 'open' | Scope;
  /** Answered however many requests there are: the probes of the cluster. */
  readonly unlimited?: boolean;
  readonly tag: 'detection' | 'metrics' | 'policy' | 'operator' | 'service';
  readonly summary: string;
  /** For the document: what each named part of the path is. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** It acts: a request bears an `Idempotency-Key`, so that a repetition is one. */
  readonly isKeyed?: true;
  readonly body?: z.ZodType<Body>;
  /** Takes the usual body without the schema; `undefined`: the schema must look. */
  readonly quick?: (body: unknown, nowMs: number) => Body | undefined;
  readonly query?: z.ZodType<Query>;
  readonly answer: AnswerShape;
  /** Refusals of the handler itself, beside those that every route may answer. */
  readonly refusals?: readonly Refusal[];
  handle(call: Call<Body, Query>): Reply | Promise<Reply>;
  readonly stream?: undefined;
}

/** A route whose answer is a stream; it needs a key, and reads its own body. */
export interface StreamRoute extends Pick<Route, 'method' | 'path' | 'tag' | 'summary' | 'refusals'> {
  readonly access: Scope;
  /** Media type of the body and of one of its lines; absent: there is no body. */
  readonly lines?: { readonly contentType: string; readonly schema: z.ZodType };
  readonly answer: { readonly contentType: string; readonly schema: z.ZodType; readonly description: string };
  /** Headers of the request that matter, for the document. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Resolves when nothing more is written. Must not reject for anything that a client does. */
  stream(call: StreamCall): Promise<void>;
}

export type AnyRoute = Route | StreamRoute;

/** Checks a route's types where it is written and forgets them where routes are listed together. */
export function route<Body = undefined, Query = undefined>(definition: Route<Body, Query>): Route {
  return definition;
}
