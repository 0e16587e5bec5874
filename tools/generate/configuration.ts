import { settingRows } from '../../src/config/help.ts';
import { SCOPES } from '../../src/config/keys-file.ts';
import type { Generator } from './generator.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

function page(): string {
  const lines = settingRows().map(({ name, flag, defaultText, description }) => {
    const shown = defaultText === '' ? '' : `\`${defaultText}\``;
    return `| \`${name}\` | \`${flag}\` | ${cell(shown)} | ${cell(description)} |`;
  });
  const keys = {
    keys: [{ name: 'ops', sha256: '64 hexadecimal digits', scopes: SCOPES, expires: '2030-01-01T00:00:00Z' }],
  };
  const sinks = {
    sinks: [
      { name: 'oncall', type: 'Alertmanager', url: 'http://alertmanager.monitoring:9093' },
      { name: 'chat', type: 'Slack', urlFile: '/etc/aegis/secrets/slack-url' },
      { name: 'duty', type: 'PagerDuty', routingKeyFile: '/etc/aegis/secrets/pagerduty-key' },
      {
        name: 'hook',
        type: 'Webhook',
        url: 'https://hooks.example/aegis',
        secretFile: '/etc/aegis/secrets/hook-secret',
      },
    ],
  };
  const json = (value: unknown): string => '```json\n' + JSON.stringify(value, null, 2) + '\n```';
  return [
    '<!-- Generated from src/config by `npm run generate`. Do not edit. -->',
    '# Configuration',
    'Flags come before the environment, the environment before the file `.env`. An empty value is none. A wrong value stops the start: every problem is listed at once, and no value is shown.',
    ['| Setting | Flag | Default | Meaning |', '|---|---|---|---|', ...lines].join('\n'),
    '## API_KEYS_FILE',
    'Only the SHA-256 of a key is stored. A key in the form of 64 hexadecimal digits and its hash: `key=$(openssl rand -hex 32); printf %s "$key" | sha256sum`. Several keys are valid at once, so a key can be replaced without a gap.',
    json(keys),
    '## SINKS_FILE',
    'The names are what policies use in `notifications[].sink`. Credentials are files, never values.',
    json(sinks),
    '',
  ].join('\n\n');
}

export const configurationGenerator: Generator = {
  name: 'reference page of the configuration',
  owns: [{ folder: 'docs/reference', files: /^configuration\.md$/ }],
  generate: () => Promise.resolve(new Map([['docs/reference/configuration.md', page()]])),
};
