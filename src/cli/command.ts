import type { Command } from 'commander';
import type { ExitCode, Services } from './services.ts';

/** What a command's action gets besides its own options. */
export interface Run {
  readonly services: Services;
  /** Called once, by the action: what the process ends with. */
  readonly ended: (code: ExitCode) => void;
}

/** One subcommand, a file each in `commands/`: it declares itself on the program. Listed in `commands/all.ts`. */
export type Subcommand = (program: Command, run: Run) => void;
