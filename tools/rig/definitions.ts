import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { BinaryUnavailable } from './go-build.ts';
import type { Kubectl } from './kubectl.ts';
import { withLock } from './lock.ts';

const run = promisify(execFile);

/** Definitions of other people's kinds, as the Go module ships them that their own project publishes. */
interface Definitions {
  readonly module: string;
  readonly version: string;
  /** What `go mod download` must answer as its hash: the very files that were looked at. */
  readonly sum: string;
  /** Paths inside of the module. */
  readonly files: readonly string[];
}

export const DEFINITIONS = {
  gatewayApi: {
    module: 'sigs.k8s.io/gateway-api',
    version: 'v1.3.0',
    sum: 'h1:q6okN+/UKDATola4JY7zXzx40WO4VISk7i9DIfOvr9M=',
    files: [
      'config/crd/standard/gateway.networking.k8s.io_gateways.yaml',
      'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml',
    ],
  },
  envoyGateway: {
    module: 'github.com/envoyproxy/gateway',
    version: 'v1.5.0',
    sum: 'h1:wfHytSeNoinwu0vCtWT61XK23qJuRmJyU+CPWdIJp2I=',
    files: ['charts/gateway-helm/crds/generated/gateway.envoyproxy.io_backendtrafficpolicies.yaml'],
  },
  istio: {
    module: 'istio.io/api',
    version: 'v1.26.0',
    sum: 'h1:hYWzFonwfimFkzp3P4iKJ0bCyenIoYvEIOXrLi74tjg=',
    files: ['kubernetes/customresourcedefinitions.gen.yaml'],
  },
  argoRollouts: {
    module: 'github.com/argoproj/argo-rollouts',
    version: 'v1.8.3',
    sum: 'h1:blbtQva4IK9r6gFh+dWkCrLnFdPOWiv9ubQYu36qeaA=',
    files: ['manifests/crds/rollout-crd.yaml'],
  },
  keda: {
    module: 'github.com/kedacore/keda/v2',
    version: 'v2.17.2',
    sum: 'h1:xlrcK5TKABJF9PebK79sgL07s/csGjL3H4m72OkZXxk=',
    files: ['config/crd/bases/keda.sh_scaledobjects.yaml'],
  },
} as const satisfies Record<string, Definitions>;

/** `${XDG_CACHE_HOME:-~/.cache}/aegis/definitions/<module's last part>-<version>` */
function cacheDir({ module, version }: Definitions): string {
  const cacheHome = process.env['XDG_CACHE_HOME'];
  const base = cacheHome !== undefined && cacheHome !== '' ? cacheHome : join(homedir(), '.cache');
  return join(base, 'aegis', 'definitions', `${module.replaceAll('/', '_')}-${version}`);
}

/**
 * Paths of the files, fetched once for this user: through the Go module proxy, checked against the pinned hash, and all at
 * once or not at all. Throws `BinaryUnavailable` where they can neither be found nor fetched.
 */
async function ensureDefinitions(wanted: Definitions, log: (line: string) => void): Promise<readonly string[]> {
  const dir = cacheDir(wanted);
  const paths = wanted.files.map((file) => join(dir, basename(file)));
  if (existsSync(dir)) return paths;
  await mkdir(dirname(dir), { recursive: true });
  await withLock(`${dir}.lock`, log, async () => {
    if (existsSync(dir)) return; // another process fetched them while this one waited
    const source = await download(wanted, log);
    const temporary = await mkdtemp(`${dir}.tmp-`);
    try {
      for (const file of wanted.files) await copyFile(join(source, file), join(temporary, basename(file)));
      await rename(temporary, dir);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
  return paths;
}

async function download({ module, version, sum }: Definitions, log: (line: string) => void): Promise<string> {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) {
    throw new BinaryUnavailable(
      `the definitions of ${module} are not in the cache, and Go, which would fetch them, is not installed`,
    );
  }
  log(`fetching the definitions of ${module} ${version} ...`);
  // Outside of any module, so that no go.mod of this project takes part.
  const options = { cwd: tmpdir(), timeout: 300_000, maxBuffer: 1 << 20 };
  const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], options).catch(
    (error: unknown) => {
      throw new BinaryUnavailable(`${module} ${version} cannot be fetched: ${String(error).slice(0, 300)}`);
    },
  );
  const answer = JSON.parse(stdout) as { readonly Dir: string; readonly Sum: string };
  if (answer.Sum !== sum) throw new Error(`${module} ${version} has the hash ${answer.Sum}, not ${sum}`);
  return answer.Dir;
}

/** Makes the kinds known to a cluster. Twice is once. */
export async function applyDefinitions(
  kubectl: Kubectl,
  names: readonly (keyof typeof DEFINITIONS)[],
  log: (line: string) => void = () => undefined,
): Promise<void> {
  for (const name of names) {
    const files = await ensureDefinitions(DEFINITIONS[name], log);
    const flags = files.flatMap((file) => ['-f', file]);
    // Too large for the annotation that a client-side apply leaves.
    await kubectl(['apply', '--server-side', '--force-conflicts', ...flags], { timeoutMs: 60_000 });
  }
}
