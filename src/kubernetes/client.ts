import type { MetricsSink } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type Result, err, ok } from '../lib/result.ts';
import { messageOf } from '../lib/thrown.ts';
import { type ApiTarget, type Scope, apiPath } from './api-path.ts';
import { type Passport, Credentials } from './credentials.ts';
import { type CallFault, answerFault, refusedHere, thrownFault } from './errors.ts';
import { type Json, record } from './json.ts';
import { type ExecResult, execStream } from './exec-stream.ts';
import { type ClusterAccess, loadLogin } from './kubeconfig.ts';
import { Pacer } from './pacer.ts';
import { RESOURCES } from './resources.ts';
import { type Answer, ExchangeFault, type StreamListener, exchange, streamLines } from './transport.ts';

/** How a patch is meant: a JSON Patch is never sent, and nothing is left to a default. */
type PatchKind = 'merge' | 'apply';

export type ApiRequest = {
  readonly target: ApiTarget;
  /** Milliseconds until the last byte of the answer; 10 s unless said. */
  readonly deadlineMs?: number;
  /** Goes before other requests: the lease and effects. */
  readonly urgent?: boolean;
  readonly signal?: AbortSignal;
  /** `metadata`: a read that brings the object's metadata and nothing of its contents. */
  readonly as?: 'metadata';
  /** Asked in the very moment of sending; false: not sent, fault cause `NotLeader`. Default: the client's fence. */
  readonly fence?: () => boolean;
} & (
  | { readonly method: 'GET' | 'DELETE'; readonly body?: unknown }
  | { readonly method: 'POST' | 'PUT'; readonly body: unknown }
  | { readonly method: 'PATCH'; readonly body: unknown; readonly patch: PatchKind }
);

export interface ExecRequest {
  readonly container: string;
  readonly command: readonly string[];
  readonly deadlineMs: number;
  /** Asked in the very moment of sending. */
  readonly fence: () => boolean;
}

/** How a watch ended: as it should, in the middle, or it was not begun. */
export type WatchEnd =
  | { readonly kind: 'closed' }
  | { readonly kind: 'broken'; readonly fault: CallFault }
  | { readonly kind: 'refused'; readonly fault: CallFault };

/** All requests to the API server. Faults are returned; nothing here throws. */
export interface KubeClient {
  /** Answers with the parsed object. */
  call(request: ApiRequest): Promise<Result<Json, CallFault>>;
  /** Answers with the text, for logs. */
  readText(target: ApiTarget, signal?: AbortSignal): Promise<Result<string, CallFault>>;
  /** Runs a command in a container, argument by argument, without a shell, stdin or terminal. Never sent twice. */
  exec(target: ApiTarget, command: ExecRequest): Promise<Result<ExecResult, CallFault>>;
  /** Hands over each line of the watch until it ends. */
  watch(target: ApiTarget, signal: AbortSignal, listener: StreamListener): Promise<WatchEnd>;
  /** The API groups that the server offers (`GET /apis`). */
  groups(): Promise<Result<Json, CallFault>>;
  /** From now on every write but those on leases and access reviews asks this first (I10). */
  fenceWrites(mayWrite: () => boolean): void;
  /** Namespace of the login, where it names one. */
  readonly namespace: string | undefined;
  close(): void;
}

export interface ClientOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: nobody counts the requests. */
  readonly metrics?: MetricsSink;
  /** Single-namespace mode: requests elsewhere are refused before they are sent. */
  readonly scope?: Scope;
}

/** The server cuts the object before it sends it; without a second choice nothing else can come. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

const CALL_DEADLINE_MS = 10_000;
export const FIELD_MANAGER = 'aegis';

const CONTENT_TYPE: Readonly<Record<PatchKind, string>> = {
  merge: 'application/merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** Reads the login and builds the client; no request is sent. */
export async function createClient(options: ClientOptions): Promise<Result<KubeClient, string>> {
  const login = await loadLogin(options.access);
  if (!login.ok) return login;
  return ok(new HttpClient(options, new Credentials(login.value, options.clock, options.log), login.value.namespace));
}

class HttpClient implements KubeClient {
  readonly namespace: string | undefined;
  readonly #options: ClientOptions;
  readonly #credentials: Credentials;
  readonly #pacer: Pacer;
  #mayWrite: () => boolean = () => true;

  constructor(options: ClientOptions, credentials: Credentials, namespace: string | undefined) {
    this.#options = options;
    this.#credentials = credentials;
    this.#pacer = new Pacer(options.clock);
    this.namespace = namespace;
  }

  async call(request: ApiRequest): Promise<Result<Json, CallFault>> {
    return jsonOf(await this.#send(request, request.as === 'metadata' ? METADATA_ONLY : 'application/json'));
  }

  async groups(): Promise<Result<Json, CallFault>> {
    // Discovery is no resource and the only path that is not built from one.
    const request = { method: 'GET', target: { resource: RESOURCES.namespaces } } as const;
    return jsonOf(await this.#attempt(request, '/apis', 'application/json'));
  }

  async readText(target: ApiTarget, signal?: AbortSignal): Promise<Result<string, CallFault>> {
    const answer = await this.#send({ method: 'GET', target, ...(signal ? { signal } : {}) }, '*/*');
    return answer.ok ? ok(answer.value.body) : answer;
  }

  async exec(target: ApiTarget, { container, command, deadlineMs, fence }: ExecRequest) {
    const query = { container, command, stdout: true, stderr: true };
    const path = apiPath({ ...target, subresource: 'exec', query }, this.#options.scope);
    if (!path.ok) return err(refusedHere(path.error));
    await this.#pacer.turn(true);
    const passport = await this.#passport();
    if (!passport.ok) return passport;
    if (!fence()) return err(NOT_LEADER);
    try {
      const headers = { Accept: 'application/json', 'User-Agent': USER_AGENT };
      const end = await execStream(passport.value, { path: path.value, headers, deadlineMs }, this.#options.clock);
      return end.kind === 'ran' ? ok(end.result) : err(this.#refusal(end.answer));
    } catch (thrown) {
      return err(this.#broken(thrown));
    }
  }

  async watch(target: ApiTarget, signal: AbortSignal, listener: StreamListener): Promise<WatchEnd> {
    const path = apiPath(target, this.#options.scope);
    if (!path.ok) return { kind: 'refused', fault: refusedHere(path.error) };
    await this.#pacer.turn();
    const passport = await this.#passport();
    if (!passport.ok) return { kind: 'broken', fault: passport.error };
    const headers = { Accept: 'application/json', 'User-Agent': USER_AGENT };
    const outgoing = { method: 'GET', path: path.value, headers, deadlineMs: CALL_DEADLINE_MS, signal };
    const counted = this.#counting('watch');
    const onOpen = (): void => {
      counted('200');
      listener.onOpen();
    };
    const end = await streamLines(passport.value, outgoing, this.#options.clock, { ...listener, onOpen });
    if (end.kind === 'closed') return end;
    const fault = end.kind === 'refused' ? this.#refusal(end.answer) : this.#broken(end.thrown);
    counted(codeOf(fault));
    return { kind: end.kind, fault };
  }

  fenceWrites(mayWrite: () => boolean): void {
    this.#mayWrite = mayWrite;
  }

  close(): void {
    this.#credentials.close();
  }

  async #send(request: ApiRequest, accept: string): Promise<Result<Answer, CallFault>> {
    const path = apiPath(request.target, this.#options.scope);
    if (!path.ok) return err(refusedHere(path.error));
    const first = await this.#attempt(request, path.value, accept);
    if (first.ok || !worthAnotherTry(request, first.error)) return first;
    return this.#attempt(request, path.value, accept);
  }

  async #attempt(
    request: ApiRequest,
    path: string,
    accept: string,
  ): Promise<Result<Answer, CallFault & { staleSocket?: boolean }>> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    await this.#pacer.turn(request.urgent);
    const passport = await this.#passport();
    if (!passport.ok) return passport;
    // Waiting for the turn is part of the deadline: an effect must end inside the lease (I10).
    const deadlineMs = (request.deadlineMs ?? CALL_DEADLINE_MS) - (clock.monotonicMs() - startedMs);
    if (deadlineMs <= 0)
      return err({ kind: 'Timeout', message: 'no turn within the deadline', sent: false, causes: [] });
    if (!this.#fenceOf(request)()) return err(NOT_LEADER);
    const counted = this.#counting(verbOf(request));
    try {
      const outgoing = { ...httpOf(request, path, accept), deadlineMs };
      const answer = await exchange(passport.value, outgoing, clock);
      counted(String(answer.status));
      return answer.status < 300 ? ok(answer) : err(this.#refusal(answer));
    } catch (thrown) {
      const fault = this.#broken(thrown);
      counted(codeOf(fault));
      return err({ ...fault, staleSocket: thrown instanceof ExchangeFault && thrown.staleSocket });
    }
  }

  /** Counts one request from now on, once. */
  #counting(verb: string): (code: string) => void {
    const { metrics, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    let isDone = false;
    return (code) => {
      if (isDone) return;
      isDone = true;
      metrics?.count('aegis_kubernetes_requests_total', { verb, code });
      metrics?.observe('aegis_kubernetes_request_duration_seconds', (clock.monotonicMs() - startedMs) / 1_000, {
        verb,
      });
    };
  }

  #fenceOf(request: ApiRequest): () => boolean {
    if (request.method === 'GET') return () => true;
    const { kind } = request.target.resource;
    if (kind === 'Lease' || kind === 'SelfSubjectAccessReview') return () => true;
    return request.fence ?? this.#mayWrite;
  }

  async #passport(): Promise<Result<Passport, CallFault>> {
    try {
      return ok(await this.#credentials.passport());
    } catch (thrown) {
      const message = `the credentials cannot be read: ${messageOf(thrown)}`;
      return err({ kind: 'Unauthorized', message, sent: false, causes: [] });
    }
  }

  #refusal(answer: Answer): CallFault {
    if (answer.status === 401) this.#credentials.forget();
    if (answer.status === 429 || answer.status >= 500) this.#pacer.failed();
    return answerFault(answer.status, parse(answer.body) ?? answer.body, answer.retryAfter);
  }

  #broken(thrown: unknown): CallFault {
    const fault = thrownFault(thrown, !(thrown instanceof ExchangeFault) || thrown.sent);
    if (thrown instanceof ExchangeFault && thrown.name === 'AbortError') return fault;
    this.#pacer.failed();
    if (!fault.sent) this.#credentials.lookAgain();
    return fault;
  }
}

/** The API server's own word for what is asked. */
function verbOf({ method, target }: ApiRequest): string {
  if (method === 'GET') return target.name === undefined ? 'list' : 'get';
  return VERB_OF_METHOD[method];
}

const VERB_OF_METHOD = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;

const codeOf = ({ status, kind }: CallFault): string => (status === undefined ? kind : String(status));

const USER_AGENT = 'aegis/0.1.0';
const NOT_LEADER: CallFault = {
  kind: 'Unavailable',
  message: 'not sent: the lease was not renewed lately enough',
  sent: false,
  causes: ['NotLeader'],
};

function httpOf(
  request: ApiRequest,
  path: string,
  accept: string,
): { method: string; path: string; headers: Record<string, string>; body?: string; signal?: AbortSignal } {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  return {
    method: request.method,
    path,
    headers: {
      Accept: accept,
      'User-Agent': USER_AGENT,
      ...(body === undefined
        ? {}
        : {
            'Content-Type': request.method === 'PATCH' ? CONTENT_TYPE[request.patch] : 'application/json',
            'Content-Length': String(Buffer.byteLength(body)),
          }),
    },
    ...(body === undefined ? {} : { body }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  };
}

/** A 401 was not processed (the token is read again); a read on a connection that was just closed harms nobody. */
function worthAnotherTry(request: ApiRequest, fault: CallFault & { staleSocket?: boolean }): boolean {
  if (fault.status === 401) return true;
  return request.method === 'GET' && fault.staleSocket === true;
}

function jsonOf(answer: Result<Answer, CallFault>): Result<Json, CallFault> {
  if (!answer.ok) return answer;
  const parsed = parse(answer.value.body);
  return parsed === undefined
    ? err({ kind: 'Unknown', message: 'the answer is not JSON', sent: true, causes: [] })
    : ok(record(parsed));
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
