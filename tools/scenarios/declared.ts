import { parseGuardrail } from '../../src/api/v1alpha1/convert-guardrail.ts';
import { parsePolicy } from '../../src/api/v1alpha1/convert-policy.ts';
import type { Guardrail, HealingPolicy } from '../../src/policy/healing-policy.ts';
import { placed, said } from './load.ts';
import { merged } from './patch.ts';
import type { Scenario } from './schema.ts';

type Manifest = Scenario['policies'][number];

const namespaceOf = ({ metadata }: Manifest): string =>
  typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'shop';

/** The policies and guardrails of a scenario as their owners last wrote them: each edit goes on from the one before. */
export class Declared {
  readonly #policies = new Map<string, Manifest>();
  readonly #guardrails = new Map<string, Manifest>();

  constructor({ policies, guardrails }: Pick<Scenario, 'policies' | 'guardrails'>) {
    for (const policy of policies) this.addPolicy(policy);
    for (const guardrail of guardrails) this.#guardrails.set(guardrail.metadata.name, guardrail);
  }

  addPolicy(manifest: Manifest): void {
    this.#policies.set(`${namespaceOf(manifest)}/${manifest.metadata.name}`, manifest);
  }

  editPolicy(name: string, namespace: string, patch: unknown): Manifest {
    const known = this.#policies.get(`${namespace}/${name}`);
    if (known === undefined) throw new Error(`there is no policy ${name} in ${namespace}`);
    const edited = { ...known, spec: merged(known.spec, patch) };
    this.addPolicy(edited);
    return edited;
  }

  deletePolicy(name: string, namespace: string): void {
    if (!this.#policies.delete(`${namespace}/${name}`)) throw new Error(`there is no policy ${name} in ${namespace}`);
  }

  editGuardrail(name: string, patch: unknown): Manifest {
    const known = this.#guardrails.get(name);
    const edited = { ...known, metadata: { ...known?.metadata, name }, spec: merged(known?.spec ?? {}, patch) };
    this.#guardrails.set(name, edited);
    return edited;
  }

  deleteGuardrail(name: string): void {
    if (!this.#guardrails.delete(name)) throw new Error(`there is no guardrail ${name}`);
  }
}

/** As the operator reads it; what the API server would refuse is a fault of the scenario. */
export function readPolicy(manifest: Manifest): HealingPolicy {
  const parsed = parsePolicy(placed(manifest));
  if (parsed.kind === 'invalid') throw new Error(`policy ${manifest.metadata.name}: ${said(parsed.problems)}`);
  return parsed.value;
}

export function readGuardrail(manifest: Manifest): Guardrail {
  const parsed = parseGuardrail(placed(manifest));
  if (parsed.kind === 'invalid') throw new Error(`guardrail ${manifest.metadata.name}: ${said(parsed.problems)}`);
  return parsed.value;
}
