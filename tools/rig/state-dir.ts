import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { RigFacts } from './facts.ts';
import { endRig } from './processes.ts';
import { identityOf } from './process-identity.ts';

const PREFIX = 'aegis-rig-';
const FACTS = 'rig.json';

/** A fresh folder that only this user may enter: it holds keys and tokens. */
export function makeStateDir(): string {
  const path = mkdtempSync(join(tmpdir(), PREFIX));
  chmodSync(path, 0o700);
  return path;
}

export function writeFacts(facts: RigFacts): void {
  writeFileSync(join(facts.stateDir, FACTS), JSON.stringify(facts, null, 2), { mode: 0o600 });
}

export function readFacts(stateDir: string): RigFacts | undefined {
  try {
    return JSON.parse(readFileSync(join(stateDir, FACTS), 'utf8')) as RigFacts;
  } catch {
    return undefined; // still starting, or being removed
  }
}

/** The folders of all rigs of this user, running or left behind. */
export function listStateDirs(): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(tmpdir(), name))
    .filter((path) => existsSync(join(path, 'pids')));
}

/** `aegis-rig-Ab12Cd` or its path, as the user may type it. */
export function findStateDir(name: string): string | undefined {
  return listStateDirs().find((path) => path === name || basename(path) === basename(name));
}

/**
 * Ends rigs whose owner and reaper are both gone, which takes two kills or a crash of the machine. A kept rig has
 * neither by intent and is left alone.
 */
export async function collectGarbage(): Promise<readonly string[]> {
  const ended: string[] = [];
  for (const stateDir of listStateDirs()) {
    if (isCaredFor(stateDir)) continue;
    await endRig(stateDir);
    ended.push(stateDir);
  }
  return ended;
}

/** A rig without facts is still starting; no start takes as long as this. */
const STARTING_MS = 10 * 60_000;

function isCaredFor(stateDir: string): boolean {
  const facts = readFacts(stateDir);
  if (facts === undefined) return Date.now() - statSync(stateDir).ctimeMs < STARTING_MS;
  return facts.isKept || identityOf(facts.ownerPid) !== undefined || identityOf(facts.reaperPid) !== undefined;
}
