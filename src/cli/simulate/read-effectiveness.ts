import { z } from 'zod';
import { effectivenessAnswer } from '../../http/schemas/responses.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { Effectiveness } from '../../policy/effectiveness.ts';
import type { FileProblem } from './problems.ts';

/** What a running Aegis has learnt of the effects, as `aegis effectiveness --json` prints it. */
export function readEffectiveness(
  path: string,
  text: string,
): Result<readonly Effectiveness[], readonly FileProblem[]> {
  const wrong = (message: string) =>
    err([{ where: path, message: `${message}; write it with: aegis effectiveness --server URL --json` }]);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return wrong('is no JSON');
  }
  const read = effectivenessAnswer.safeParse(value);
  if (!read.success) return wrong(`is not what was learnt: ${z.prettifyError(read.error)}`);
  return ok(
    read.data.effectiveness.map(({ failure_type, action, workload_kind, incidents, helped, estimate }) => ({
      ...{ failureType: failure_type, action, workloadKind: workload_kind, incidents, helped, estimate },
    })),
  );
}
