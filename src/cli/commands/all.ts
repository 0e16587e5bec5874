import type { Subcommand } from '../command.ts';
import { backupCommand } from './backup.ts';
import { configCommand } from './config.ts';
import { effectivenessCommand } from './effectiveness.ts';
import { explainCommand, whyNotCommand } from './explain.ts';
import { restoreCommand } from './restore.ts';
import { simulateCommand } from './simulate.ts';
import { versionCommand } from './version.ts';

/** Every subcommand, in the order of `aegis --help`. */
export const SUBCOMMANDS: readonly Subcommand[] = [
  simulateCommand,
  explainCommand,
  whyNotCommand,
  effectivenessCommand,
  backupCommand,
  restoreCommand,
  configCommand,
  versionCommand,
];
