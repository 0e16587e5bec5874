import type { z } from 'zod';
import type { Scope } from './access/api-key.ts';
import type { Refusal } from './errors.ts';
import type { Reply } from './reply.ts';

/** What a handler gets: everything before it has been checked. */
export interface Call<Body, Query> {
  readonly body: Body;
  readonly query: Query;
  /** Also in the answer's `x-request-id` and in the log. */
  readonly requestId: string;
  readonly nowMs: number;
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
  readonly path: string;
  /** `open`: no key needed. */
  readonly access: 'open' | Scope;
  /** Answered however many requests there are: the probes of the cluster. */
  readonly unlimited?: boolean;
  readonly tag: 'detection' | 'metrics' | 'policy' | 'operator' | 'service';
  readonly summary: string;
  readonly body?: z.ZodType<Body>;
  /** Takes the usual body without the schema; `undefined`: the schema must look. */
  readonly quick?: (body: unknown, nowMs: number) => Body | undefined;
  readonly query?: z.ZodType<Query>;
  readonly answer: AnswerShape;
  /** Refusals of the handler itself, beside those that every route may answer. */
  readonly refusals?: readonly Refusal[];
  handle(call: Call<Body, Query>): Reply | Promise<Reply>;
}

/** Checks a route's types where it is written and forgets them where routes are listed together. */
export function route<Body = undefined, Query = undefined>(definition: Route<Body, Query>): Route {
  return definition;
}
