import type { AlertMessage } from '../controller/ports.ts';
import type { SlackSinkConfig } from './sink-config.ts';
import { cut, headline, JSON_TYPE, worst, type Sink } from './sink.ts';

const MAX_LINES = 20;

/** Slack has no deduplication; the key stands in the text, so that people and searches recognise a repetition. */
export function slackSink(config: SlackSinkConfig): Sink {
  return {
    name: config.name,
    async envelopes(messages, { secret }) {
      const text = cut(escapeText(headline(messages)), 300);
      const details = messages.length === 1 ? single(messages) : listed(messages);
      const body = JSON.stringify({
        text: `${mark(messages)} ${text}`,
        blocks: [section(`*${mark(messages)} ${text}*`), section(details)],
      });
      return [{ url: await secret(config.urlFile), headers: JSON_TYPE, body }];
    },
  };
}

const section = (text: string): unknown => ({ type: 'section', text: { type: 'mrkdwn', text: cut(text, 2900) } });

function mark(messages: readonly AlertMessage[]): string {
  return messages.every((message) => message.status === 'resolved') ? '[resolved]' : `[${worst(messages)}]`;
}

function single(messages: readonly AlertMessage[]): string {
  const [message] = messages;
  if (message === undefined) return '';
  const lines = [
    message.summary,
    ...message.evidence.map((line) => `- ${line}`),
    message.advice,
    `${message.namespace}/${message.workload}, policy ${message.policy}, ${message.failureType}, ${message.key}`,
  ];
  return lines
    .filter((line) => line !== '')
    .map((line) => escapeText(cut(line, 500)))
    .join('\n');
}

function listed(messages: readonly AlertMessage[]): string {
  const lines = messages
    .slice(0, MAX_LINES)
    .map((m) =>
      escapeText(cut(`- ${m.status} ${m.severity}: ${m.namespace}/${m.workload} ${m.title} (${m.key})`, 200)),
    );
  const more = messages.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** Slack reads these three as markup: without it a pod's log line could call the whole channel. */
const escapeText = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
