import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { Authenticator } from '@kubernetes/client-node/dist/auth.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { FileAuth } from '@kubernetes/client-node/dist/file_auth.js';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { messageOf } from '../lib/thrown.ts';
import type { ClusterLogin } from './kubeconfig.ts';

/** What one request needs to be made as Aegis. */
export interface Passport {
  readonly server: URL;
  readonly agent: http.Agent;
  readonly headers: Readonly<Record<string, string>>;
}

interface Material {
  readonly ca?: Buffer;
  readonly cert?: Buffer | string;
  readonly key?: Buffer | string;
}

/** Files are looked at again at most this often, and at once after the server refused the credentials. */
const LOOK_AGAIN_MS = 5_000;
/** A pool whose certificates were replaced may finish what it carries, no longer than one deadline. */
const RETIRE_AFTER_MS = 10_000;
/** Under the API server's own idle time-out (90 s), so a pooled connection is not closed while it is being reused. */
const IDLE_SOCKET_MS = 30_000;

/**
 * Turns a login into connections. All requests share one pool (a handshake costs 10 ms and more); the pool is dropped
 * as soon as the CA or the client certificate on disk changes, so that a new CA is believed and an old one is not.
 */
export class Credentials {
  readonly #login: ClusterLogin;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #server: URL;
  #authenticator: Authenticator | undefined;
  #material: Material = {};
  #fingerprint = '';
  #agent: http.Agent | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(login: ClusterLogin, clock: Clock, log: Log) {
    this.#login = login;
    this.#clock = clock;
    this.#log = log;
    this.#server = new URL(login.cluster.server);
  }

  /** The shared pool and fresh headers. Throws where the files cannot be read or the login plugin fails. */
  async passport(): Promise<Passport> {
    await this.#lookAtFiles();
    const options: https.RequestOptions = { headers: this.#ownHeaders() };
    await (await this.#authenticatorFor())?.applyAuthentication(this.#login.user, options);
    const agent = this.#agentFor({
      ...this.#material,
      ...(options.cert === undefined ? {} : { cert: options.cert as string }),
      ...(options.key === undefined ? {} : { key: options.key as string }),
    });
    return { server: this.#server, agent, headers: options.headers as Record<string, string> };
  }

  /** The server refused them: read everything again, the token too, before the next request. */
  forget(): void {
    this.lookAgain();
    this.#authenticator = undefined;
  }

  /** The server could not be trusted or reached: its CA may have been replaced on disk. */
  lookAgain(): void {
    this.#lookedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Ends every connection of the pool. */
  close(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
    this.#fingerprint = '';
  }

  #ownHeaders(): Record<string, string> {
    const { user } = this.#login;
    const basic = Buffer.from(`${user.username ?? ''}:${user.password ?? ''}`).toString('base64');
    return {
      ...(user.username ? { Authorization: `Basic ${basic}` } : {}),
      ...(user.token ? { Authorization: `Bearer ${user.token.trim()}` } : {}),
      ...(user.impersonateUser ? { 'Impersonate-User': user.impersonateUser } : {}),
    };
  }

  async #authenticatorFor(): Promise<Authenticator | undefined> {
    if (this.#authenticator !== undefined) return this.#authenticator;
    const { user } = this.#login;
    const candidates: Authenticator[] = [new FileAuth(), new ExecAuth()];
    const provider = user.authProvider as { name?: string } | null | undefined;
    if (provider?.name === 'oidc') {
      // Loads the whole library (80 MiB): only for the logins that need it.
      const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js');
      candidates.push(new OpenIDConnectAuth());
    }
    this.#authenticator = candidates.find((each) => each.isAuthProvider(user));
    return this.#authenticator;
  }

  async #lookAtFiles(): Promise<void> {
    const now = this.#clock.monotonicMs();
    if (now - this.#lookedAtMs < LOOK_AGAIN_MS) return;
    const { cluster, user } = this.#login;
    try {
      const [ca, cert, key] = await Promise.all([
        bytesOf(cluster.caFile, cluster.caData),
        bytesOf(user.certFile, user.certData),
        bytesOf(user.keyFile, user.keyData),
      ]);
      this.#material = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
      this.#lookedAtMs = now;
    } catch (fault) {
      // While files are being swapped, what was read before is still the truth; without any, there is no way to start.
      if (this.#agent === undefined) throw fault;
      this.#log.warn('credentials could not be read again', { error: messageOf(fault) });
    }
  }

  #agentFor(material: Material): http.Agent {
    const fingerprint = digest([material.ca, material.cert, material.key]);
    if (this.#agent !== undefined && fingerprint === this.#fingerprint) return this.#agent;
    const retired = this.#agent;
    if (retired !== undefined) {
      this.#log.info('certificates changed, connections are renewed');
      this.#clock.after(RETIRE_AFTER_MS, () => retired.destroy());
    }
    this.#fingerprint = fingerprint;
    this.#agent = this.#newAgent(material);
    return this.#agent;
  }

  #newAgent(material: Material): http.Agent {
    const { cluster } = this.#login;
    const pool = {
      keepAlive: true,
      keepAliveMsecs: 30_000,
      maxFreeSockets: 8,
      scheduling: 'lifo' as const,
      timeout: IDLE_SOCKET_MS,
      ...(cluster.proxyUrl ? { proxyEnv: { HTTPS_PROXY: cluster.proxyUrl, HTTP_PROXY: cluster.proxyUrl } } : {}),
    };
    if (this.#server.protocol === 'http:') return new http.Agent(pool);
    return new https.Agent({
      ...pool,
      ...material,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: !cluster.skipTLSVerify,
      ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
    });
  }
}

async function bytesOf(file: string | undefined, base64: string | undefined): Promise<Buffer | undefined> {
  if (file) return readFile(file);
  return base64 ? Buffer.from(base64, 'base64') : undefined;
}

function digest(parts: readonly (Buffer | string | undefined)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part ?? '').update('\0');
  return hash.digest('hex');
}
