import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../tools/rig/ports.ts';
import { processFigures } from './process-figures.ts';
import type { Figure, Report } from './registry.ts';
import { CALLS, KEY, type Call } from './rest-calls.ts';
import { measureInTurn, medianRatio, type ServerFigures } from './rest-pairs.ts';
import { startProgram, startRelease, type Server } from './rest-servers.ts';

const FOLDER = join(import.meta.dirname, 'python');
const ROUNDS = 5;
const SLICE_MS = 2_000;
const CONNECTIONS = 20;

/** What is asked of Aegis, in requests a second over the stand-in's. */
const WANTED: readonly (readonly [call: string, times: number])[] = [
  ['detect-anomaly, 1 metric', 40],
  ['detect-anomaly, 6 metrics', 40],
  ['detect-failure, 6 metrics, 20 lines', 6],
];

/** `batched`: as Aegis stores. `each`: committed and synced before each answer, as some engines store; for comparison. */
type Durability = 'batched' | 'each';

/**
 * Aegis beside a stand-in of the Python engine that it replaces, in turn. The stand-in's packages are installed from the
 * package index into a folder that is removed with the run.
 */
export async function besidePython(main: string, folder: string): Promise<Pick<Report, 'figures' | 'lines'>> {
  const python = await install(join(folder, 'venv'));
  const aegis = await startRelease(main, made(join(folder, 'beside-python')));
  const standIns: Server[] = [];
  try {
    for (const durability of ['batched', 'each'] as const) {
      standIns.push(await startStandIn(python, made(join(folder, `stand-in-${durability}`)), durability));
    }
    const [batched, each] = standIns;
    if (batched === undefined || each === undefined) throw new Error('the stand-in did not start');
    const figures: Figure[] = [];
    const lines = [
      'beside the Python stand-in, at 20 connections; it runs as one process, as the engine’s guide starts it:',
    ];
    for (const [name, times] of WANTED) {
      const call = CALLS.find((one) => one.name === name);
      if (call === undefined) throw new Error(`there is no call ${name}`);
      const measured = await inTurn(call, [aegis, batched, each]);
      figures.push(...figuresOf(call, times, measured));
      lines.push(...linesOf(call, measured));
    }
    const rss = `${processFigures(aegis.pid).rssMiB.toFixed(0)} and ${processFigures(batched.pid).rssMiB.toFixed(0)} MiB`;
    return { figures, lines: [...lines, `resident memory after it, Aegis and the stand-in: ${rss}`] };
  } finally {
    await aegis.stop();
    for (const server of standIns) await server.stop();
  }
}

async function install(venv: string): Promise<string> {
  const run = promisify(execFile);
  await run('python3', ['-m', 'venv', venv]);
  const python = join(venv, 'bin', 'python');
  await run(python, ['-m', 'pip', 'install', '--quiet', '-r', join(FOLDER, 'requirements.txt')]);
  if (!existsSync(join(venv, 'bin', 'uvicorn'))) throw new Error(`pip installed no uvicorn into ${venv}`);
  return python;
}

function made(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function startStandIn(python: string, folder: string, durability: Durability): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const app = ['-m', 'uvicorn', 'stand_in:app', '--app-dir', FOLDER, '--port', String(port), '--no-access-log'];
  const environment = { API_KEY: KEY, DATA_DIR: folder, DURABILITY: durability, PYTHONDONTWRITEBYTECODE: '1' };
  return startProgram({ name: `stand-in-${durability}`, program: python, args: app, folder, environment, port });
}

interface Measured {
  readonly aegis: ServerFigures;
  readonly batched: ServerFigures;
  readonly each: ServerFigures;
  /** At one connection, for latencies. */
  readonly alone: { readonly aegis: ServerFigures; readonly batched: ServerFigures };
}

async function inTurn(call: Call, servers: readonly [Server, Server, Server]): Promise<Measured> {
  const contenders = servers.map((server) => ({ server }));
  const setting = { rounds: ROUNDS, sliceMs: SLICE_MS };
  const [aegis, batched, each] = await measureInTurn(call, contenders, { ...setting, connections: CONNECTIONS });
  const [ours, theirs] = await measureInTurn(call, contenders.slice(0, 2), { ...setting, connections: 1 });
  if (
    aegis === undefined ||
    batched === undefined ||
    each === undefined ||
    ours === undefined ||
    theirs === undefined
  ) {
    throw new Error('a server was not measured');
  }
  return { aegis, batched, each, alone: { aegis: ours, batched: theirs } };
}

function figuresOf({ name }: Call, times: number, { aegis, batched, each }: Measured): readonly Figure[] {
  const rate = ({ perSecond }: { readonly perSecond: number }): number => perSecond;
  return [
    {
      ...{
        name: `${name}: times the stand-in's requests/s, equal durability`,
        value: medianRatio(aegis, batched, rate),
      },
      ...{ unit: '', target: { kind: 'min', value: times }, note: 'both write in batches within 100 ms' },
    },
    {
      ...{ name: `${name}: times the stand-in that syncs each`, value: medianRatio(aegis, each, rate), unit: '' },
      note: 'not equal: it commits and syncs before each answer',
    },
  ];
}

function linesOf({ name }: Call, { aegis, batched, each, alone }: Measured): readonly string[] {
  const of = (server: ServerFigures): string =>
    `${server.perSecond.toFixed(0)} req/s, ${server.cpuMicros.toFixed(0)} us CPU`;
  const latency = ({ p50Ms }: ServerFigures): string => `p50 ${p50Ms.toFixed(2)} ms at 1 connection`;
  return [
    `  ${name}: Aegis ${of(aegis)}, ${latency(alone.aegis)}; stand-in ${of(batched)}, ${latency(alone.batched)}; synced each ${of(each)}`,
  ];
}
