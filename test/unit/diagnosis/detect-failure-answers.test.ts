import { describe, expect, test } from '@jest/globals';
import type { LogLine } from '../../../src/diagnosis/diagnosis.ts';
import { detectFailure } from '../../../src/diagnosis/detect-failure.ts';
import type { FailureQuestion, JudgedMetric } from '../../../src/diagnosis/request-evidence.ts';
import { aQuestion, aScore, NOW, judged } from '../../support/builders/diagnosis.ts';

interface More {
  readonly score?: number;
  readonly expected?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

function sample(
  metric: string,
  value: number,
  { score = 0, expected, labels = { service: 'api' } }: More = {},
): JudgedMetric {
  const { expected: _expected, band: _band, ...bare } = aScore('limit', { score, observed: value });
  const band = [(expected ?? 0) * 0.9, (expected ?? 0) * 1.1] as const;
  return judged({
    metric,
    value,
    atMs: NOW,
    labels,
    detectors: score === 0 ? [] : [{ ...bare, ...(expected === undefined ? {} : { expected, band }) }],
    samples: expected === undefined ? 0 : 500,
  });
}

const line = (message: string, level: LogLine['level'] = 'error', service = 'api-service'): LogLine => ({
  atMs: NOW,
  level,
  message,
  service,
});

/** Of the finer answer as `name (confidence, severity): actions`, then whom it concerns, why, what is missing. */
function answerTo(question: FailureQuestion): readonly string[] {
  const found = detectFailure(question);
  const names = [found.failureType, found.subtype, found.category].join(' / ');
  return [
    `${found.failureDetected ? names : 'nothing failed'} (${found.confidence.toFixed(2)}, ${found.severityScore.toFixed(2)}): ${found.recommendedActions.join(', ')}`,
    found.affectedServices.join(', '),
    found.rootCause ?? '-',
    found.missingEvidence.join(', '),
    ...(found.abstained === undefined ? [] : [found.abstained]),
  ];
}

describe('the whole answer', () => {
  test.each<[string, FailureQuestion, readonly string[]]>([
    ['nothing sent',aQuestion([]), ['nothing failed (1.00, 0.00): no_action', '', '-', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, log lines, Kubernetes status (context.kubernetes)']],
    ['all is well',aQuestion([sample('cpu_usage',40,{score:0.3,expected:40}),sample('error_rate',0,{score:0.1,expected:0})],[line('ready','info')]), ['nothing failed (0.70, 0.30): no_action', '', '-', 'metric response_time, metric request_rate, metric memory_usage, Kubernetes status (context.kubernetes)']],
    ['one anomalous metric that nothing explains',aQuestion([sample('queue_depth',900,{score:0.9,expected:10})]), ['unknown / unknown /  (0.00, 0.90): alert_admin', 'api', 'unknown: no known signature in the evidence', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, log lines, Kubernetes status (context.kubernetes)', 'no known signature in the evidence']],
    ['more requests alone harm nobody',aQuestion([sample('request_rate',300,{score:0.9,expected:100})]), ['nothing failed (0.10, 0.90): no_action', '', '-', 'metric error_rate, metric response_time, metric cpu_usage, metric memory_usage, log lines, Kubernetes status (context.kubernetes)']],
    ['fewer requests than expected are harm',aQuestion([sample('request_rate',80,{score:0.9,expected:100})]), ['unknown / unknown /  (0.00, 0.90): alert_admin', 'api', 'unknown: no known signature in the evidence', 'metric error_rate, metric response_time, metric cpu_usage, metric memory_usage, log lines, Kubernetes status (context.kubernetes)', 'no known signature in the evidence']],
    ['an anomalous request rate of which nothing was expected',aQuestion([sample('request_rate',80,{score:0.9})]), ['unknown / unknown /  (0.27, 0.90): alert_admin', 'api', 'unknown: traffic_surge is the best explanation, but with a confidence of 0.27 only. Evidence: request_rate up to 80', 'metric error_rate, metric response_time, metric cpu_usage, metric memory_usage, history of request_rate, log lines, Kubernetes status (context.kubernetes)', 'traffic_surge is the best explanation, but with a confidence of 0.27 only']],
    ['errors',aQuestion([sample('error_rate',0.6,{score:0.95,expected:0.01})]), ['service_down / service_down / service_down (0.50, 0.95): restart_pod, alert_admin', 'api', 'service_down: error_rate of api is 0.6', 'metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, log lines, Kubernetes status (context.kubernetes)', 'no known signature in the evidence']],
    ['errors, of a series without history',aQuestion([sample('error_rate',0.6)]), ['service_down / service_down / service_down (0.50, 0.70): restart_pod, alert_admin', 'api', 'service_down: error_rate of api is 0.6', 'metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, history of error_rate, log lines, Kubernetes status (context.kubernetes)', 'no known signature in the evidence']],
    ['errors and lines',aQuestion([sample('error_rate',0.6,{score:0.95,expected:0.01,labels:{app:'shop'}})],[line('connection timeout'),line('process exit','warn','b')]), ['connection_timeout / connection_timeout / connection_timeout (0.60, 0.95): alert_admin', 'api-service, b, shop', 'connection_timeout: a line tells of failing connections, such as “connection timeout” from api-service; error_rate of shop is 0.6', 'metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, Kubernetes status (context.kubernetes)', 'dependency_down is the best explanation, but with a confidence of 0.46 only']],
    ['a vague line',aQuestion([],[line('connection timeout')]), ['connection_timeout / connection_timeout / connection_timeout (0.40, 0.50): alert_admin', 'api-service', 'connection_timeout: a line tells of failing connections, such as “connection timeout” from api-service', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, Kubernetes status (context.kubernetes)', 'the only evidence is text that the workload wrote']],
    ['two vague lines',aQuestion([],[line('connection timeout'),line('upstream timeout')]), ['connection_timeout / connection_timeout / connection_timeout (0.50, 0.50): alert_admin', 'api-service', 'connection_timeout: 2 lines tell of failing connections, such as “connection timeout” from api-service', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, Kubernetes status (context.kubernetes)', 'the only evidence is text that the workload wrote']],
    ['a plain line',aQuestion([],[line('no space left on device')]), ['volume_full / volume_full /  (0.50, 0.50): alert_admin', 'api-service', 'unknown: the only evidence is text that the workload wrote. Evidence: a log line tells of disk-full, such as “no space left on device”', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, Kubernetes status (context.kubernetes)', 'the only evidence is text that the workload wrote']],
    ['a plain line of a level that is no alarm',aQuestion([],[line('no space left on device','info')]), ['nothing failed (1.00, 0.00): no_action', '', '-', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, Kubernetes status (context.kubernetes)']],
    ['two plain lines of different types',aQuestion([],[line('no space left on device'),line('x509: certificate has expired')]), ['unknown / unknown /  (0.50, 0.50): alert_admin', 'api-service', 'unknown: the only evidence is text that the workload wrote. Evidence: a log line tells of certificate, such as “x509: certificate has expired”', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, Kubernetes status (context.kubernetes)', 'the only evidence is text that the workload wrote']],
    ['slow, without history',aQuestion([sample('response_time',5000,{labels:{deployment:'d'}})]), ['high_latency / high_latency / high_latency (0.50, 0.70): scale_up, alert_admin', 'd', 'high_latency: response_time is 5000 ms', 'metric error_rate, metric request_rate, metric cpu_usage, metric memory_usage, history of response_time, log lines, Kubernetes status (context.kubernetes)', 'no known signature in the evidence']],
    ['slow, and usual is known',aQuestion([sample('response_time',900,{score:0.95,expected:80,labels:{pod:'p'}})]), ['high_latency / high_latency / high_latency (0.50, 0.95): scale_up, alert_admin', 'p', 'high_latency: response_time of p is 900 ms (usually 80 ms)', 'metric error_rate, metric request_rate, metric cpu_usage, metric memory_usage, log lines, Kubernetes status (context.kubernetes)', 'no known signature in the evidence']],
    ['busy and slow',aQuestion([sample('cpu_usage',95,{score:0.95,expected:40}),sample('response_time',900,{score:0.95,expected:80}),sample('request_rate',100,{score:0.1,expected:100})]), ['high_latency / cpu_saturation / high_latency (0.98, 0.95): scale_up, alert_admin', 'api', 'cpu_saturation (confidence 0.98): cpu_usage up to 95; request_rate as usual; response_time up to 900; response_time of api is 900 ms (usually 80 ms)', 'metric error_rate, metric memory_usage, log lines, Kubernetes status (context.kubernetes)']],
    ['a pod that is not ready, for no reason',aQuestion([],[],{workload:{name:'api',namespace:'shop'},pods:[{name:'api-1',ready:false}]}), ['unknown / unknown /  (0.00, 0.50): alert_admin', 'api', 'unknown: no known signature in the evidence', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, log lines', 'no known signature in the evidence']],
    ['a pod whose image cannot be had',aQuestion([sample('error_rate',0.6,{score:0.95,expected:0.01})],[line('x','error','')],{workload:{name:'api',namespace:'shop'},pods:[{name:'api-1',waiting_reason:'ImagePullBackOff'}]}), ['image_error / image_error / service_down (0.99, 0.95): alert_admin', 'api', 'image_error (confidence 0.99): api-1: ImagePullBackOff; error_rate of api is 0.6', 'metric response_time, metric request_rate, metric cpu_usage, metric memory_usage']],
    ['pods of which no workload is named',aQuestion([],[],{pods:[{name:'api-1',waiting_reason:'ImagePullBackOff'}]}), ['image_error / image_error / service_down (0.99, 0.50): alert_admin', '', 'image_error (confidence 0.99): api-1: ImagePullBackOff', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, log lines']],
    ['status, and all is well',aQuestion([],[],{workload:{name:'api'},pods:[{name:'api-1',ready:true}]}), ['nothing failed (1.00, 0.00): no_action', '', '-', 'metric error_rate, metric response_time, metric request_rate, metric cpu_usage, metric memory_usage, log lines']],
  ])('%s', (_, question, expected) => {
    expect(answerTo(question)).toEqual(expected);
  }); // prettier-ignore

  test('lines of twenty services at most are told', () => {
    const logs = Array.from({ length: 25 }, (_, i) =>
      line('connection timeout', 'error', `s${String(i).padStart(2, '0')}`),
    );
    const { affectedServices } = detectFailure(aQuestion([], logs.toReversed()));
    expect(affectedServices).toHaveLength(20);
    expect(affectedServices.at(-1)).toBe('s19');
  });

  test('lines of a level that is no alarm concern nobody, and metrics without history are told by name', () => {
    const logs = [line('connection timeout', 'error', 'a'), line('connection refused', 'info', 'b'), line('no such host', 'debug', 'c')];
    const { affectedServices, missingEvidence } = detectFailure(aQuestion([sample('memory_usage', 5), sample('cpu_usage', 5)], logs));
    expect(affectedServices).toEqual(['a']);
    expect(missingEvidence).toContain('history of cpu_usage, memory_usage');
  }); // prettier-ignore

  test('numbers without a service are told by app, deployment or pod, in that order', () => {
    const labels = { pod: 'p', deployment: 'd', app: 'a', service: 's' };
    const told = (...left: (keyof typeof labels)[]) => {
      const kept = Object.fromEntries(left.map((label) => [label, labels[label]]));
      return detectFailure(aQuestion([sample('error_rate', 0.6, { labels: kept })])).affectedServices;
    };
    expect([told('pod', 'deployment', 'app', 'service'), told('pod', 'deployment', 'app'), told('pod', 'deployment'), told('pod'), told()]).toEqual([['s'], ['a'], ['d'], ['p'], []]); // prettier-ignore
  });
});
