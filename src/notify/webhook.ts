import { createHash, createHmac } from 'node:crypto';
import type { AlertMessage } from '../controller/ports.ts';
import { bearer, JSON_TYPE, type Sink } from './sink.ts';
import type { WebhookSinkConfig } from './sink-config.ts';

/** From so many messages in one request on only identity and title are sent of each. */
const FULL_DETAIL = 200;

/**
 * Signed JSON. The receiver computes HMAC-SHA256 over `timestamp.body` with the shared key, compares it with the header
 * and refuses old timestamps, so that nobody can forge a message or send an old one again.
 */
export function webhookSink(config: WebhookSinkConfig): Sink {
  return {
    name: config.name,
    async envelopes(messages, context) {
      const [first] = messages;
      const listed = messages.map((message, i) => (i < FULL_DETAIL ? message : briefly(message)));
      const body = JSON.stringify({ version: 1, group: first?.group, count: messages.length, messages: listed });
      const timestamp = String(Math.floor(context.nowMs / 1000));
      const headers = {
        ...JSON_TYPE,
        ...(await bearer(config.bearerTokenFile, context)),
        'x-aegis-timestamp': timestamp,
        'x-aegis-signature': sign(await context.secret(config.secretFile), timestamp, body),
        'idempotency-key': keyOf(messages),
      };
      return [{ url: config.url, headers, body }];
    },
  };
}

const briefly = ({ key, status, severity, title }: AlertMessage): unknown => ({ key, status, severity, title });

/** A single message's own key, so that the same alert is recognised; of several, a digest of all their keys. */
function keyOf(messages: readonly AlertMessage[]): string {
  const keys = messages.map(({ key, status }) => `${key}/${status}`);
  if (keys.length === 1) return keys[0] ?? '';
  return createHash('sha256').update(keys.join('\n'), 'utf8').digest('hex');
}

/** `v1=` and the hexadecimal HMAC-SHA256 of `timestamp.body`. */
export function sign(key: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', key).update(`${timestamp}.${body}`, 'utf8').digest('hex')}`;
}
