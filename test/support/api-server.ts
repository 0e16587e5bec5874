import { readFileSync } from 'node:fs';
import { request } from 'node:https';

/** What a test needs to talk to an API server without any client library. */
export interface ApiServerFacts {
  readonly apiServerUrl: string;
  readonly caFile: string;
  readonly token: string;
}

interface ApiReply {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** `message` of a Status, else empty. */
  readonly message: string;
}

interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  readonly contentType?: string;
  /** The request is made as this user. */
  readonly as?: { readonly user: string; readonly groups?: readonly string[] };
}

export type ApiServer = (call: ApiCall) => Promise<ApiReply>;

const MERGE = 'application/merge-patch+json';

/** Calls as the rig's administrator, or as whoever he plays. */
export function apiServer({ apiServerUrl, caFile, token }: ApiServerFacts): ApiServer {
  const ca = readFileSync(caFile);
  return ({ method, path, body, raw, contentType, as }) =>
    new Promise((resolve, reject) => {
      const text = raw ?? (body === undefined ? '' : JSON.stringify(body));
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': contentType ?? (method === 'PATCH' ? MERGE : 'application/json'),
        'content-length': Buffer.byteLength(text),
        ...(as !== undefined && { 'impersonate-user': as.user }),
        ...(as?.groups !== undefined && { 'impersonate-group': [...as.groups] }),
      };
      const call = request(new URL(path, apiServerUrl), { method, headers, ca, timeout: 20_000 }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.on('end', () => {
          const answer = parsed(Buffer.concat(chunks).toString('utf8'));
          const message = typeof answer['message'] === 'string' ? answer['message'] : '';
          resolve({ status: reply.statusCode ?? 0, body: answer, message });
        });
      });
      call.on('error', reject);
      call.on('timeout', () => call.destroy(new Error(`${method} ${path}: no answer in 20 s`)));
      call.end(text);
    });
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { message: text };
  }
}
