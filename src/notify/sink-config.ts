/** Alertmanager, API v2. */
export interface AlertmanagerSinkConfig {
  readonly type: 'Alertmanager';
  readonly name: string;
  /** Base address, e.g. `http://alertmanager.monitoring:9093`; `/api/v2/alerts` is added. */
  readonly url: string;
  readonly bearerTokenFile?: string | undefined;
  /** Fixed labels for the receiver's routing, e.g. `{team: platform, severity: warning}`. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Slack incoming webhook. */
export interface SlackSinkConfig {
  readonly type: 'Slack';
  readonly name: string;
  /** File with the whole address: who knows it can post. */
  readonly urlFile: string;
}

/** PagerDuty Events API v2. */
export interface PagerDutySinkConfig {
  readonly type: 'PagerDuty';
  readonly name: string;
  readonly routingKeyFile: string;
  /** `https://events.pagerduty.com/v2/enqueue`, unless a relay stands in between. */
  readonly url: string;
}

/** Any receiver of signed JSON. */
export interface WebhookSinkConfig {
  readonly type: 'Webhook';
  readonly name: string;
  readonly url: string;
  /** File with the key of the HMAC-SHA256 over `timestamp.body`. */
  readonly secretFile: string;
  readonly bearerTokenFile?: string | undefined;
}

/**
 * A sink as the administrator configures it; policies name sinks and hold no address. Credentials are mounted files,
 * read again for every message.
 */
export type SinkConfig = AlertmanagerSinkConfig | SlackSinkConfig | PagerDutySinkConfig | WebhookSinkConfig;
