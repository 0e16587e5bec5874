import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { AlertMessage } from '../../../src/controller/ports.ts';
import { alertmanagerSink } from '../../../src/notify/alertmanager.ts';
import { pagerDutySink } from '../../../src/notify/pagerduty.ts';
import type { Envelope, Sink } from '../../../src/notify/sink.ts';
import { slackSink } from '../../../src/notify/slack.ts';
import { sign, webhookSink } from '../../../src/notify/webhook.ts';
import { anAlert } from '../../support/builders/notify.ts';

/** Files hold their own names. */
const secret = (file: string): Promise<string> => Promise.resolve(file);
const context = { secret, nowMs: 1_700_000_000_999 };
const many = (count: number, change: Partial<AlertMessage> = {}): AlertMessage[] =>
  Array.from({ length: count }, (_, i) => anAlert({ key: `incident-${i}`, workload: `w-${i}`, ...change }));

interface Parsed {
  readonly envelope: Envelope;
  readonly body: unknown;
}
const send = async (sink: Sink, ...messages: AlertMessage[]): Promise<Parsed[]> =>
  (await sink.envelopes(messages, context)).map((envelope) => ({
    envelope,
    body: JSON.parse(envelope.body) as unknown,
  }));
const only = async (sink: Sink, ...messages: AlertMessage[]): Promise<Parsed> => {
  const sent = await send(sink, ...messages);
  const [first] = sent;
  if (first === undefined || sent.length !== 1) throw new Error(`${sent.length} requests`);
  return first;
};

describe('Alertmanager', () => {
  const sink = alertmanagerSink({
    type: 'Alertmanager',
    name: 'am',
    url: 'http://am:9093/prefix/',
    labels: { team: 'shop', alertname: 'overridden' },
  });

  test('posts a list to API v2, with times and what people need', async () => {
    const { envelope, body } = await only(sink, anAlert());
    expect(envelope.url).toBe('http://am:9093/prefix/api/v2/alerts');
    expect(body).toEqual([
      {
        labels: {
          team: 'shop',
          alertname: 'AegisIncident',
          incident: 'incident-1',
          namespace: 'shop',
          workload: 'checkout',
          policy: 'checkout',
        },
        annotations: {
          summary: 'checkout leaks memory',
          description: 'Memory of checkout-1 climbs by 4 MiB a minute.',
          severity: 'high',
          failure_type: 'memory_leak',
          evidence: 'pod checkout-1: memory 93 % of its limit',
          advice: 'Look at the cache of 1.4.2.',
        },
        startsAt: '2026-01-05T12:00:00.000Z',
        endsAt: '2026-01-05T12:01:00.000Z',
      },
    ]);
  });

  test('the identity stays the same while severity, type and evidence change', async () => {
    const labelsOf = async (message: AlertMessage) =>
      ((await only(sink, message)).body as { labels: unknown }[])[0]?.labels;
    const later = anAlert({
      severity: 'critical',
      failureType: 'oom_kill',
      evidence: ['x'],
      status: 'resolved',
      endsAtMs: 5,
    });
    expect(await labelsOf(later)).toEqual(await labelsOf(anAlert()));
  });

  test('ten thousand alerts are one request of moderate size', async () => {
    const { envelope, body } = await only(
      sink,
      ...many(10_000, { evidence: ['e'.repeat(2000)], advice: 'a'.repeat(500) }),
    );
    expect(body).toHaveLength(10_000);
    expect(envelope.body.length).toBeLessThan(8 << 20);
  });

  test('the token goes into the header', async () => {
    const guarded = alertmanagerSink({
      type: 'Alertmanager',
      name: 'am',
      url: 'https://am',
      bearerTokenFile: 't',
    });
    expect((await only(guarded, anAlert())).envelope.headers).toMatchObject({ authorization: 'Bearer t' });
  });
});

describe('Slack', () => {
  const sink = slackSink({ type: 'Slack', name: 's', urlFile: 'https://hooks.slack.com/x' });

  test('one message names severity, summary, evidence, advice and key', async () => {
    const { envelope, body } = await only(sink, anAlert());
    expect(envelope.url).toBe('https://hooks.slack.com/x');
    const text = JSON.stringify(body);
    for (const part of ['[high]', 'leaks memory', '4 MiB', '93 %', '1.4.2', 'incident-1']) expect(text).toContain(part);
  });

  test('text from pods calls nobody', async () => {
    const { body } = await only(sink, anAlert({ title: '<!channel> & <@U1>', evidence: ['<!here>'] }));
    expect(JSON.stringify(body)).not.toMatch(/<[!@]/);
    expect(JSON.stringify(body)).toContain('&lt;!channel&gt; &amp; &lt;@U1&gt;');
  });

  test('a group is one message with a count and a bounded list', async () => {
    const { envelope, body } = await only(sink, ...many(500));
    expect(JSON.stringify(body)).toContain('500 alerts');
    expect(JSON.stringify(body)).toContain('and 480 more');
    expect(envelope.body.length).toBeLessThan(8000);
  });

  test('the end is marked', async () => {
    expect(JSON.stringify((await only(sink, anAlert({ status: 'resolved' }))).body)).toContain('[resolved]');
  });
});

describe('PagerDuty', () => {
  const create = (): Sink =>
    pagerDutySink({
      type: 'PagerDuty',
      name: 'p',
      routingKeyFile: 'from-file',
      url: 'https://events.pagerduty.com/v2/enqueue',
    });
  const events = async (sink: Sink, ...messages: AlertMessage[]): Promise<string[]> =>
    (await send(sink, ...messages)).map(({ body }) => {
      const event = body as { event_action: string; dedup_key: string };
      return `${event.event_action} ${event.dedup_key}`;
    });

  test('an alert opens an event under its own key', async () => {
    const { envelope, body } = await only(create(), anAlert({ severity: 'high' }));
    expect(envelope.url).toBe('https://events.pagerduty.com/v2/enqueue');
    expect(body).toMatchObject({
      routing_key: 'from-file',
      event_action: 'trigger',
      dedup_key: 'incident-1',
      payload: { severity: 'error', source: 'shop/checkout', component: 'checkout', class: 'memory_leak' },
    });
  });

  test('its repetition and its end carry the same key', async () => {
    const sink = create();
    expect(await events(sink, anAlert())).toEqual(['trigger incident-1']);
    expect(await events(sink, anAlert())).toEqual(['trigger incident-1']);
    expect(await events(sink, anAlert({ status: 'resolved' }))).toEqual(['resolve incident-1']);
  });

  test('several that begin together share an event until the last is over', async () => {
    const sink = create();
    expect(await events(sink, ...many(3))).toEqual(['trigger group/shop/checkout']);
    expect(await events(sink, anAlert({ key: 'incident-0' }))).toEqual(['trigger group/shop/checkout']);
    expect(await events(sink, ...many(2, { status: 'resolved' }))).toEqual([]);
    expect(await events(sink, anAlert({ key: 'incident-2', status: 'resolved' }))).toEqual([
      'resolve group/shop/checkout',
    ]);
  });

  test('those that began alone end alone, also together', async () => {
    const sink = create();
    await events(sink, anAlert({ key: 'a' }));
    await events(sink, anAlert({ key: 'b' }));
    const ends = [anAlert({ key: 'a', status: 'resolved' }), anAlert({ key: 'b', status: 'resolved' })];
    expect(await events(sink, ...ends)).toEqual(['resolve a', 'resolve b']);
  });

  test.each<[string, Partial<AlertMessage>, readonly string[]]>([
    ['under its own key', {}, ['resolve incident-1']],
    [
      'the last one of its group under that of the group as well: it may have begun with others',
      { endsGroup: true },
      ['resolve incident-1', 'resolve group/shop/checkout'],
    ],
  ])('after a restart an end is sent %s', async (_, over, expected) => {
    expect(await events(create(), anAlert({ status: 'resolved', ...over }))).toEqual(expected);
  });

  test('an end of which it knows how it began is sent once, last of its group or not', async () => {
    const sink = create();
    await events(sink, anAlert({ key: 'solo' }));
    await events(sink, ...many(2, { group: 'shop/cart' }));
    expect(await events(sink, anAlert({ key: 'solo', status: 'resolved', endsGroup: true }))).toEqual(['resolve solo']);
    const [first, last] = many(2, { group: 'shop/cart', status: 'resolved' });
    if (first === undefined || last === undefined) throw new Error('two were asked for');
    expect(await events(sink, first)).toEqual([]);
    expect(await events(sink, { ...last, endsGroup: true })).toEqual(['resolve group/shop/cart']);
  });
});

describe('Webhook', () => {
  const sink = webhookSink({
    type: 'Webhook',
    name: 'w',
    url: 'https://x.example/hook',
    secretFile: 'shared',
  });

  test('is signed over timestamp and body', async () => {
    const { envelope } = await only(sink, anAlert());
    expect(envelope.headers['x-aegis-timestamp']).toBe('1700000000');
    const expected = createHmac('sha256', 'shared').update(`1700000000.${envelope.body}`).digest('hex');
    expect(envelope.headers['x-aegis-signature']).toBe(`v1=${expected}`);
  });

  test('the signature of a known message, as another program computes it', () => {
    // printf '1700000000.{}' | openssl dgst -sha256 -hmac key
    expect(sign('key', '1700000000', '{}')).toBe('v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae');
  });

  test('repetitions share a key, other messages do not', async () => {
    const keyOf = async (...messages: AlertMessage[]) =>
      (await only(sink, ...messages)).envelope.headers['idempotency-key'];
    expect(await keyOf(anAlert())).toBe('incident-1/firing');
    expect(await keyOf(anAlert({ status: 'resolved' }))).toBe('incident-1/resolved');
    expect(await keyOf(...many(3))).toBe(await keyOf(...many(3)));
    expect(await keyOf(...many(3))).not.toBe(await keyOf(...many(4)));
  });

  test('every alert of a group is in it, the later ones in brief', async () => {
    const { body } = await only(sink, ...many(1000));
    const { messages, count } = body as { messages: { key: string; evidence?: unknown }[]; count: number };
    expect(count).toBe(1000);
    expect(messages.map(({ key }) => key)).toEqual(many(1000).map(({ key }) => key));
    expect(messages[999]?.evidence).toBeUndefined();
  });
});
