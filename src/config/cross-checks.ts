import type { Problem } from '../lib/parsed.ts';
import { kubeconfigPath } from './cluster-access.ts';
import { DEVELOPMENT_KEY } from './keys-file.ts';
import type { Settings } from './schema.ts';

type Given = Partial<Settings>;

const problem = (path: string, message: string): Problem => ({ path, reason: 'ConfigInvalid', message });

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** What is wrong between settings. A setting that is wrong by itself (`bad`) is not judged again. */
export function crossProblems(
  given: Given,
  env: Readonly<Record<string, string | undefined>>,
  bad: ReadonlySet<string>,
): readonly Problem[] {
  const checks = [exposed, together, oneDatabase, clusterFound, metricsFound, logsFound].flatMap((check) =>
    check(given, env),
  );
  return checks.filter(({ path }) => !bad.has(path));
}

/** Without a key that is secret, nobody but this machine may reach the API. */
function exposed({ HOST, API_KEY, API_KEYS_FILE, ALLOW_DEVELOPMENT_KEY }: Given): readonly Problem[] {
  if (HOST === undefined || isLoopback(HOST) || API_KEYS_FILE !== undefined) return [];
  if (API_KEY === undefined) {
    return [
      problem('HOST', 'is not loopback and no key is set: anybody could call the API; set API_KEY or API_KEYS_FILE'),
    ];
  }
  if (API_KEY !== DEVELOPMENT_KEY || ALLOW_DEVELOPMENT_KEY === true) return [];
  return [problem('API_KEY', 'is the published development key and HOST is not loopback: anybody could call the API')];
}

const PAIRS = [
  ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
  ['PROMETHEUS_BASIC_AUTH_USER', 'PROMETHEUS_BASIC_AUTH_PASSWORD_FILE'],
  ['THROTTLE_HOOK_URL', 'THROTTLE_HOOK_SECRET_FILE'],
] as const;

/** Needs -> what it is useless without. */
const NEEDS = [
  ['PROMETHEUS_BEARER_TOKEN_FILE', 'PROMETHEUS_URL'],
  ['PROMETHEUS_BASIC_AUTH_USER', 'PROMETHEUS_URL'],
  ['LOKI_BEARER_TOKEN_FILE', 'LOKI_URL'],
  ['POLICY_ENGINE_TOKEN_FILE', 'POLICY_ENGINE_URL'],
] as const;

function together(given: Given): readonly Problem[] {
  const halves = PAIRS.flatMap(([one, other]) => {
    if ((given[one] === undefined) === (given[other] === undefined)) return [];
    const [missing, present] = given[one] === undefined ? [one, other] : [other, one];
    return [problem(missing, `is missing: ${present} is of no use without it`)];
  });
  const lonely = NEEDS.filter(([one, needed]) => given[one] !== undefined && given[needed] === undefined);
  const both =
    given.PROMETHEUS_BEARER_TOKEN_FILE !== undefined && given.PROMETHEUS_BASIC_AUTH_USER !== undefined
      ? [problem('PROMETHEUS_BASIC_AUTH_USER', 'excludes PROMETHEUS_BEARER_TOKEN_FILE: only one can be sent')]
      : [];
  return [
    ...halves,
    ...lonely.map(([one, needed]) => problem(needed, `is missing: ${one} is of no use without it`)),
    ...both,
  ];
}

function oneDatabase({ DATABASE_URL, DATABASE_URL_FILE }: Given): readonly Problem[] {
  if (DATABASE_URL === undefined || DATABASE_URL_FILE === undefined) return [];
  return [problem('DATABASE_URL_FILE', 'excludes DATABASE_URL: nobody could tell which database is meant')];
}

function clusterFound(given: Given, env: Readonly<Record<string, string | undefined>>): readonly Problem[] {
  if (given.AEGIS_CLUSTER === 'off') return [];
  if (given.KUBECONFIG?.includes(':') === true && !/^[A-Za-z]:[\\/]/.test(given.KUBECONFIG)) {
    return [problem('KUBECONFIG', 'names several files; name the one of the cluster that is to be healed')];
  }
  const found = env['KUBERNETES_SERVICE_HOST'] !== undefined || kubeconfigPath(given, env) !== undefined;
  if (given.AEGIS_CLUSTER !== 'required' || found) return [];
  return [problem('AEGIS_CLUSTER', 'is required, but there is no cluster: set KUBECONFIG or run inside one')];
}

/** Without metrics nothing can be judged, so an operator that must run could not. */
function metricsFound({ AEGIS_CLUSTER, PROMETHEUS_URL }: Given): readonly Problem[] {
  if (AEGIS_CLUSTER !== 'required' || PROMETHEUS_URL !== undefined) return [];
  return [
    problem('PROMETHEUS_URL', 'is missing, and AEGIS_CLUSTER is required: without metrics nothing can be judged'),
  ];
}

/** A source of log lines that is not there would be missing in every answer. */
function logsFound({ FAILURE_LOGS, LOKI_URL, AEGIS_CLUSTER }: Given): readonly Problem[] {
  if (FAILURE_LOGS === 'loki' && LOKI_URL === undefined) {
    return [problem('LOKI_URL', 'is missing, and FAILURE_LOGS is loki: no log line could be found')];
  }
  if (FAILURE_LOGS !== 'kubernetes' || AEGIS_CLUSTER !== 'off') return [];
  return [problem('FAILURE_LOGS', 'is kubernetes, and AEGIS_CLUSTER is off: no log line could be found')];
}
