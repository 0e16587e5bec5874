import { z } from 'zod';
import type { Problem } from '../lib/parsed.ts';
import type { Result } from '../lib/result.ts';
import { readJsonFile } from './json-file.ts';
import { isPlainHttpUrl } from './setting.ts';

const url = z.string().max(2048).refine(isPlainHttpUrl, {
  message: 'must be an http or https address without user name, password and fragment',
});
const path = z.string().min(1).max(4096);
const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, { error: 'must be a DNS label' });

const Sink = z.discriminatedUnion('type', [
  z.strictObject({ name, type: z.literal('Alertmanager'), url, bearerTokenFile: path.optional() }),
  z.strictObject({ name, type: z.literal('Slack'), urlFile: path }),
  z.strictObject({
    name,
    type: z.literal('PagerDuty'),
    routingKeyFile: path,
    url: url.default('https://events.pagerduty.com/v2/enqueue'),
  }),
  z.strictObject({ name, type: z.literal('Webhook'), url, secretFile: path, bearerTokenFile: path.optional() }),
]);

/**
 * A receiver of alerts, as the administrator configured it. A credential is never in the file, only the path of a
 * file that holds it; Slack's whole address is a credential.
 */
export type Sink = z.output<typeof Sink>;

/** Reads the text of SINKS_FILE: `{"sinks": [{"name": "ops", "type": "Alertmanager", "url": "..."}]}`. */
export function parseSinksFile(text: string): Result<readonly Sink[], readonly Problem[]> {
  return readJsonFile('SINKS_FILE', text, z.object({ sinks: z.array(Sink).max(64) }), ({ sinks }) => ({
    value: sinks,
    names: sinks.map((sink) => sink.name),
  }));
}
