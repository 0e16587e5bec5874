/** A credential of a sink: in place, or in a mounted file that is read again for every message. */
export type SinkSecret = { readonly value: string } | { readonly file: string };

/** Alertmanager, API v2. */
export interface AlertmanagerSinkConfig {
  readonly kind: 'Alertmanager';
  readonly name: string;
  /** Base address, e.g. `http://alertmanager.monitoring:9093`; `/api/v2/alerts` is added. */
  readonly url: string;
  readonly bearerToken?: SinkSecret;
  /** Fixed labels for the receiver's routing, e.g. `{team: platform, severity: warning}`. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Slack incoming webhook. */
export interface SlackSinkConfig {
  readonly kind: 'Slack';
  readonly name: string;
  /** The whole address; who knows it can post. */
  readonly webhookUrl: SinkSecret;
}

/** PagerDuty Events API v2. */
export interface PagerDutySinkConfig {
  readonly kind: 'PagerDuty';
  readonly name: string;
  readonly routingKey: SinkSecret;
  /** Default `https://events.pagerduty.com/v2/enqueue`. */
  readonly url?: string;
}

/** Any receiver of signed JSON. */
export interface WebhookSinkConfig {
  readonly kind: 'Webhook';
  readonly name: string;
  readonly url: string;
  /** Key of the HMAC-SHA256 over `timestamp.body`. */
  readonly signingKey: SinkSecret;
}

/** A sink as the administrator configures it; policies name sinks and hold no address. */
export type SinkConfig = AlertmanagerSinkConfig | SlackSinkConfig | PagerDutySinkConfig | WebhookSinkConfig;

/** Kinds of sinks. */
export const SINK_KINDS = [
  'Alertmanager',
  'Slack',
  'PagerDuty',
  'Webhook',
] as const satisfies readonly SinkConfig['kind'][];
