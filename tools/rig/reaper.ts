/**
 * Ends a rig when its owner is gone, however it went: normal end, Ctrl-C, crash, SIGKILL.
 *
 *   owner --- pipe (this process' standard input) --- reaper
 *
 * The kernel closes the owner's end of the pipe with the owner. The word `keep`, written before, means that the rig shall
 * outlive its owner (`--keep`); `rig down` ends it then.
 */
import { existsSync } from 'node:fs';
import { endRig } from './processes.ts';

const stateDir = process.argv[2];
if (stateDir === undefined) throw new Error('usage: reaper.ts STATE_DIR');

let said = '';
process.stdin.on('data', (chunk: Buffer) => (said += chunk.toString()));
process.stdin.on('close', () => {
  if (said.includes('keep') || !existsSync(stateDir)) process.exit(0);
  void endRig(stateDir).finally(() => process.exit(0));
});
