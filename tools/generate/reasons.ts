import { join } from 'node:path';
import { explain, lasting, REASONS, type Lasting, type Reason } from '../../src/lib/reasons.ts';
import type { Generator } from './generator.ts';
import { mentioned } from './mentions.ts';

const FOLLOWS: Readonly<Record<Lasting, string>> = {
  wait: 'waits and looks again',
  'next-rung': 'goes on to the next rung',
  end: 'hands over to people',
};

const row = (reason: Reason): string => `| \`${reason}\` | ${FOLLOWS[lasting(reason)]} | ${explain(reason)} |`;

async function page(): Promise<string> {
  const said = await mentioned(REASONS, join('lib', 'reasons.ts'));
  const unsaid = REASONS.filter((reason) => !said.has(reason));
  return [
    '<!-- Generated from src/lib/reasons.ts by `npm run generate`. Do not edit. -->',
    '# Reasons for not acting',
    'One word each, the same everywhere: in `status.incidents[].reason` of a policy, in the conditions and `status.blockedReason` of an action, in Events (`ActionHeld`, `ActionBlocked`), in the history, and as the label `reason` of `aegis_decisions_total`. They are API: programs may switch on them. What to do about each: [troubleshooting](../troubleshooting.md).',
    '*Waits* is looked at again at the next poll, or when the blocker is known to end. *Goes on* skips the rung, with the reason in `skipped`; the next rung of the ladder is tried. *Hands over* ends the automatic treatment of the incident: people are told.',
    ['| Reason | What Aegis does | Meaning |', '|---|---|---|', ...REASONS.filter((r) => said.has(r)).map(row)].join(
      '\n',
    ),
    ...(unsaid.length === 0
      ? []
      : [
          '## Reserved',
          'In the list, but said by no code of this version.',
          ['| Reason | What Aegis would do | Meaning |', '|---|---|---|', ...unsaid.map(row)].join('\n'),
        ]),
    '',
  ].join('\n\n');
}

export const reasonsGenerator: Generator = {
  name: 'reference page of the reasons',
  owns: [{ folder: 'docs/reference', files: /^reasons\.md$/ }],
  generate: async () => new Map([['docs/reference/reasons.md', await page()]]),
};
