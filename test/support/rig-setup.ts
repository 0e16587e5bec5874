/** Jest's globalSetup of the integration project: one rig for the whole run, found by the tests through AEGIS_RIG. */
import { BinaryUnavailable } from '../../tools/rig/binaries.ts';
import { startRig, type Rig } from '../../tools/rig/rig.ts';

declare global {
  var aegisRig: Rig | undefined;
}

/** Only a machine that cannot have a control plane excuses a skip. A rig that fails to start is a failure everywhere. */
export default async function setup(): Promise<void> {
  try {
    const started = await startRig();
    process.env['AEGIS_RIG'] = started.stateDir;
    globalThis.aegisRig = started;
  } catch (error) {
    if (!(error instanceof BinaryUnavailable) || process.env['CI'] === 'true') throw error;
    process.stderr.write(`\n!!! INTEGRATION TESTS ON THE RIG ARE SKIPPED: ${error.message}\n\n`);
  }
}
