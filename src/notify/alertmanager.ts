import type { AlertMessage } from '../controller/ports.ts';
import type { AlertmanagerSinkConfig } from './sink-config.ts';
import { bearer, cut, JSON_TYPE, type Sink } from './sink.ts';

/** From so many alerts in one request on only the summary is sent of each. */
const FULL_DETAIL = 200;

/**
 * Alertmanager identifies an alert by its labels, so these are what stays the same for the whole incident. What may
 * change while it lasts (severity, failure type, evidence) goes into annotations: as a label it would open a second
 * alert beside the first. It groups by itself and takes a list.
 */
export function alertmanagerSink(config: AlertmanagerSinkConfig): Sink {
  const url = `${config.url.replace(/\/+$/, '')}/api/v2/alerts`;
  return {
    name: config.name,
    async envelopes(messages, context) {
      const isFull = messages.length < FULL_DETAIL;
      const headers = { ...JSON_TYPE, ...(await bearer(config.bearerTokenFile, context)) };
      const alerts = messages.map((message) => toAlert(message, config.labels ?? {}, isFull));
      return [{ url, headers, body: JSON.stringify(alerts) }];
    },
  };
}

function toAlert(message: AlertMessage, labels: Readonly<Record<string, string>>, isFull: boolean): unknown {
  const { evidence, advice } = message;
  return {
    labels: {
      ...labels,
      alertname: 'AegisIncident',
      incident: message.key,
      namespace: message.namespace,
      workload: message.workload,
      policy: message.policy,
    },
    annotations: {
      summary: cut(message.title, 200),
      description: cut(message.summary, 1000),
      severity: message.severity,
      failure_type: message.failureType,
      ...(isFull ? { evidence: cut(evidence.join('\n'), 2000), advice: cut(advice, 1000) } : {}),
    },
    startsAt: new Date(message.startsAtMs).toISOString(),
    endsAt: new Date(message.endsAtMs).toISOString(),
  };
}
