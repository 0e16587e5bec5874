import type { Figures } from './figures.ts';

/** One claim about the run, and what was seen. */
export interface Check {
  readonly claim: string;
  readonly holds: boolean;
  readonly seen: string;
}

/** "Errors pass 1 %". */
const ERROR_LIMIT = 0.01;
/** A fault that callers hardly feel without Aegis proves nothing about it. */
const FELT_SHARE = 0.02;

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
const names = (objects: readonly { readonly name: string }[]): string =>
  objects.length === 0 ? 'none' : objects.map(({ name }) => name).join(', ');

/** Every claim of the run. Those about the run without Aegis hold when the fault was a real one. */
export function judge(without: Figures, withAegis: Figures): readonly Check[] {
  return [
    ...judgeLeak(without.leak, withAegis.leak),
    ...judgeOverload(without.overload, withAegis.overload),
    ...judgeRelease(without.release, withAegis.release),
    ...judgeNeighbours(withAegis.neighbours),
  ];
}

function judgeLeak(without: Figures['leak'], seen: Figures['leak']): readonly Check[] {
  if (without === undefined || seen === undefined) return [];
  const [gone] = seen.gone;
  const states = seen.effects.map(({ action, state }) => `${action} ${state}`).join(', ');
  return [
    {
      claim: 'without Aegis the leaking pod is killed for its memory',
      holds: without.oomKills > 0 && without.gone.length === 0,
      seen: `${without.oomKills} kills`,
    },
    {
      claim: 'with Aegis it is evicted before that, and no other pod with it',
      holds: seen.oomKills === 0 && seen.gone.length === 1 && seen.evictedAfterMs !== undefined,
      seen: `${seen.oomKills} kills; gone: ${gone === undefined ? 'none' : names(seen.gone)}`,
    },
    {
      claim: 'by one restart_pod that is verified',
      holds: seen.effects.length === 1 && states === 'restart_pod Healed',
      seen: states === '' ? 'nothing was done' : states,
    },
    {
      claim: 'and none of its requests fails',
      holds: seen.requests.sent > 0 && seen.requests.failed === 0,
      seen: `${seen.requests.failed} of ${seen.requests.sent} failed`,
    },
  ];
}

function judgeOverload(without: Figures['overload'], seen: Figures['overload']): readonly Check[] {
  if (without === undefined || seen === undefined) return [];
  const by = seen.effects.map(({ action, state }) => `${action} ${state}`).join(', ');
  return [
    {
      claim: 'without Aegis the overload is felt',
      holds: without.requests.failedShare > FELT_SHARE,
      seen: `${percent(without.requests.failedShare)} of the requests fail`,
    },
    {
      claim: 'with Aegis the deployment is scaled before its errors pass 1 %',
      holds: (seen.failedShareByThen ?? 1) <= ERROR_LIMIT && seen.effects.some(({ action }) => action === 'scale_up'),
      seen: seen.failedShareByThen === undefined ? 'never scaled' : `at ${percent(seen.failedShareByThen)}; ${by}`,
    },
    {
      claim: 'and they stay below it',
      holds: seen.requests.failedShare <= ERROR_LIMIT,
      seen: percent(seen.requests.failedShare),
    },
    {
      claim: 'its replicas return to their baseline',
      holds: seen.mostReplicas > seen.baseline && seen.lastReplicas === seen.baseline,
      seen: `${seen.baseline}, ${seen.mostReplicas}, ${seen.lastReplicas}`,
    },
  ];
}

function judgeRelease(without: Figures['release'], seen: Figures['release']): readonly Check[] {
  if (without === undefined || seen === undefined) return [];
  const [alert] = seen.alerts;
  const after = seen.afterRollback;
  return [
    {
      claim: 'without Aegis the bad release is felt',
      holds: without.requests.failedShare > FELT_SHARE,
      seen: `${percent(without.requests.failedShare)} of the requests fail`,
    },
    {
      claim: 'with Aegis nothing makes it worse: no effect, no replica less',
      holds: seen.effects.length === 0 && seen.fewestReady >= without.fewestReady,
      seen: `effects: ${names(seen.effects)}; at least ${seen.fewestReady} ready`,
    },
    {
      claim: 'one alert, and it says what to roll back',
      holds: seen.alerts.length === 1 && alert?.failureType === 'bad_deploy' && /--to-revision=\d/.test(alert.advice),
      seen: `${seen.alerts.length}: ${alert === undefined ? '-' : `${alert.failureType}, ${alert.advice}`}`,
    },
    {
      claim: 'what it says cures it',
      holds: after !== undefined && after.sent > 0 && after.failed === 0,
      seen: after === undefined ? 'nobody was told' : `${after.failed} of ${after.sent} fail afterwards`,
    },
  ];
}

function judgeNeighbours(seen: Figures['neighbours']): readonly Check[] {
  return [
    {
      claim: 'nothing is done to a healthy neighbour, and nobody is alerted of one',
      holds: seen.actions.length === 0 && seen.alerts === 0 && seen.lost.length === 0,
      seen: `actions: ${names(seen.actions)}; alerts: ${seen.alerts}; pods lost: ${names(seen.lost)}`,
    },
    {
      claim: 'three faults apart from one another are no storm',
      holds: seen.storms === 0,
      seen: `${seen.storms} alerts of storms`,
    },
    {
      claim: 'hardly a request of the neighbours fails',
      holds: seen.requests.failedShare <= 0.001,
      seen: `${seen.requests.failed} of ${seen.requests.sent} failed`,
    },
  ];
}
