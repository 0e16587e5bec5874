import type { ApiKey } from './keys-file.ts';
import type { EFFECT_NAMES, THROTTLE_PROVIDER_NAMES } from './schema.ts';
import type { Secret } from './secret.ts';
import type { AllowedHost } from './setting.ts';
import type { Sink } from './sinks-file.ts';

/** Who may call the API. */
export type KeyPolicy =
  /** No key is configured: loopback only, and the published `dev_api_key` is accepted. */
  | { readonly kind: 'development' }
  | {
      readonly kind: 'configured';
      /** The one key of the old configuration: all scopes. */
      readonly apiKey?: Secret;
      /** Keys of API_KEYS_FILE as read at the start; read the file again with `parseKeysFile` to reload. */
      readonly keys: readonly ApiKey[];
      readonly keysFile?: string;
    };

/** How the cluster is reached. */
export type ClusterAccess =
  | { readonly kind: 'kubeconfig'; readonly path: string; readonly context?: string }
  | { readonly kind: 'in-cluster'; readonly host: string; readonly port: string };

export interface ClusterConfig {
  readonly access: ClusterAccess;
  /** True: stop when the cluster cannot be reached. */
  readonly required: boolean;
  /** Empty: all. */
  readonly watchNamespaces: readonly string[];
  readonly lease: { readonly name: string; readonly namespace?: string };
  /** Read where only some namespaces are watched; it is in the namespace of the lease. */
  readonly guardrailConfigMap: string;
  readonly pod: { readonly name?: string; readonly namespace?: string };
  readonly relist: { readonly ownMs: number; readonly othersMs: number };
  readonly actionTtlMs: number;
}

export interface PrometheusConfig {
  readonly url: string;
  readonly scrapeIntervalMs: number;
  readonly timeoutMs: number;
  readonly bearerTokenFile?: string;
  readonly caFile?: string;
  readonly basicAuth?: { readonly username: string; readonly passwordFile: string };
  readonly tenant?: string;
}

export interface LokiConfig {
  readonly url: string;
  readonly bearerTokenFile?: string;
  readonly caFile?: string;
  readonly tenant?: string;
}

/** All that Aegis is told from outside: typed, whole and frozen. */
export interface Config {
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly keys: KeyPolicy;
    readonly tls?: { readonly certFile: string; readonly keyFile: string };
    /** Requests a second. */
    readonly rate: { readonly perKey: number; readonly perAddress: number };
    readonly trustedProxies: number;
  };
  readonly detection: {
    readonly anomalyThreshold: number;
    readonly failureWindowMs: number;
    readonly minSamples: number;
    /** Where detect-failure finds log lines for requests that bring none. */
    readonly logs: 'none' | 'Loki' | 'Kubernetes';
  };
  /** Absent: nothing is traced. */
  readonly tracing?: {
    readonly endpoint: string;
    readonly headers: Secret;
    /** Share of the traces that begin here, above 0, at most 1. */
    readonly ratio: number;
  };
  readonly store:
    { readonly kind: 'sqlite'; readonly dataDir: string } | { readonly kind: 'postgres'; readonly url: Secret };
  readonly retention: {
    readonly predictionAgeMs: number;
    readonly predictionBytes: number;
    readonly historyAgeMs: number;
  };
  /** Absent: no metrics are polled. */
  readonly prometheus?: PrometheusConfig;
  readonly loki?: LokiConfig;
  readonly policyEngine?: { readonly url: string; readonly tokenFile?: string };
  readonly throttleHook?: { readonly url: string; readonly secretFile: string };
  readonly throttleProviders: readonly (typeof THROTTLE_PROVIDER_NAMES)[number][];
  readonly sinks: readonly Sink[];
  /** Hosts that may be called: OUTBOUND_ALLOW and those of sinks, policy engine and hook. */
  readonly outboundAllow: readonly AllowedHost[];
  /** Absent: the API is served alone. */
  readonly cluster?: ClusterConfig;
  readonly enabledActions: readonly (typeof EFFECT_NAMES)[number][];
  readonly dryRun: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Sentences that must be logged loudly at the start. */
  readonly warnings: readonly string[];
}
