import type { OutboundPost, PolicyEngine, PolicyEngineQuestion } from '../controller/ports.ts';
import { messageOf } from '../lib/thrown.ts';
import type { EngineAnswer } from '../policy/guard.ts';
import type { Guardrail } from '../policy/healing-policy.ts';

type Engine = NonNullable<Guardrail['policyEngine']>;

/** How the engine is reached. */
export interface PolicyEngineDeps {
  readonly post: OutboundPost;
  /** Headers that the engine at this address wants, such as its key; read for every question, since keys rotate. */
  readonly headers?: (url: string) => Promise<Readonly<Record<string, string>>>;
}

const MAX_TEXT = 500;
const MAX_POLICIES = 50;

/**
 * Asks an external engine. Only a well-formed yes is a yes and only a well-formed no is a no; anything else, from a
 * time-out to `"allowed": "true"`, is `unavailable`, about which the guardrail's failure policy decides.
 */
export function createPolicyEngine(deps: PolicyEngineDeps): PolicyEngine {
  return {
    async ask(engine, question) {
      const unavailable = (message: string): EngineAnswer => ({
        kind: 'unavailable',
        message: message.slice(0, MAX_TEXT),
        failurePolicy: engine.failurePolicy,
      });
      try {
        const reply = await deps.post({
          url: engine.url,
          headers: {
            'content-type': 'application/json',
            accept: 'application/json',
            ...(await deps.headers?.(engine.url)),
          },
          body: JSON.stringify(bodyOf(engine, question)),
          timeoutMs: engine.timeoutSeconds * 1000,
        });
        if (!reply.ok) return unavailable(`${reply.error.kind}: ${reply.error.message}`);
        if (reply.value.status !== 200) return unavailable(`status ${reply.value.status}`);
        return parseAnswer(engine, reply.value.body) ?? unavailable('the reply is no decision');
      } catch (fault) {
        return unavailable(messageOf(fault));
      }
    },
  };
}

function bodyOf(engine: Engine, { action, resource, context }: PolicyEngineQuestion): unknown {
  const question = { action, resource, type: 'self_healing', context };
  return engine.type === 'OPA' ? { input: question } : question;
}

function parseAnswer(engine: Engine, text: string): EngineAnswer | undefined {
  const body = parseRecord(text);
  if (body === undefined) return undefined;
  if (engine.type === 'Aegis') return toAnswer(body['allowed'], body['reason'], body['appliedPolicies']);
  const { result } = body;
  if (typeof result === 'boolean') return toAnswer(result, undefined, undefined);
  if (!isRecord(result)) return undefined;
  const { allow, allowed } = result;
  // Two answers that differ are none.
  if (allow !== undefined && allowed !== undefined && allow !== allowed) return undefined;
  return toAnswer(allow ?? allowed, result['reason'], result['appliedPolicies'] ?? result['policies']);
}

function toAnswer(allowed: unknown, reason: unknown, policies: unknown): EngineAnswer | undefined {
  if (typeof allowed !== 'boolean') return undefined;
  const named = Array.isArray(policies) ? policies.filter((name) => typeof name === 'string') : [];
  const applied = named.slice(0, MAX_POLICIES).map((name) => name.slice(0, MAX_TEXT));
  if (allowed) return { kind: 'allowed', policies: applied };
  const said = typeof reason === 'string' && reason.trim() !== '' ? reason : 'Denied by the policy engine';
  return { kind: 'denied', reason: said.slice(0, MAX_TEXT), policies: applied };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
