import { randomUUID } from 'node:crypto';
import { setImmediate as afterOthers } from 'node:timers/promises';
import type { z } from 'zod';
import { giveGoAhead } from '../body/read-body.ts';
import { parseJson } from '../body/json-text.ts';
import { readLines, type Line } from '../body/lines.ts';
import type { HttpDependencies } from '../dependencies.ts';
import { bodyOf } from '../errors.ts';
import type { Problem } from '../problem.ts';
import { problemsBody, refusalReply, refuse } from '../reply.ts';
import type { StreamCall, StreamRoute } from '../route.ts';
import { batchLine } from '../schemas/responses.ts';
import { createStreamWriter } from '../stream-writer.ts';
import { validateBody } from '../validate.ts';

const LINES_TYPE = 'application/x-ndjson';
/** A line is bounded as a body is; a batch is not. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
/** Batches in progress; each takes its turn with all other requests. */
const MAX_BATCHES = 8;
/** Longest turn. */
const TURN_MS = 5;
/** A client that sends no whole line, or does not read, for so long is given up. */
const PATIENCE_MS = 30_000;
/** Time for which the last line stays readable before a connection on which more may come is cut. */
const LINGER_MS = 500;

/** What a batch does with each of its lines. */
interface Batched<Body> {
  readonly path: string;
  readonly summary: string;
  readonly schema: z.ZodType<Body>;
  readonly quick: (body: unknown, nowMs: number) => Body | undefined;
  readonly answerSchema: z.ZodType;
  /** The answer as JSON. */
  answer(body: Body, id: string, nowMs: number): string | Promise<string>;
}

/** The batch routes, which share the room for batches, and the way to end all of them when the server stops. */
export interface Batches {
  route<Body>(batched: Batched<Body>): StreamRoute;
  /** Each is told behind its last answer that no more lines are taken. */
  endAll(): void;
}

type Next = IteratorResult<Line> | 'late' | 'gone' | 'stopping';

/** A batch under way. */
interface Running {
  isStopping: boolean;
  /** Set while a line is waited for. */
  interrupt?: (() => void) | undefined;
}

export function createBatches({ clock }: Pick<HttpDependencies, 'clock'>): Batches {
  const open = new Set<Running>();

  const answerAll = async <Body>(
    batched: Batched<Body>,
    { request, response, head }: StreamCall,
    running: Running,
  ): Promise<void> => {
    giveGoAhead(request, response);
    response.writeHead(200, [...head, 'content-type', `${LINES_TYPE}; charset=utf-8`]);
    response.flushHeaders();
    const writer = createStreamWriter(response, PATIENCE_MS, clock);
    const lines = readLines(request, MAX_LINE_BYTES);
    let number = 0;
    let turnEndMs = clock.monotonicMs() + TURN_MS;
    for (;;) {
      const next: Next = running.isStopping ? 'stopping' : await inTime(lines.next(), running);
      if (next === 'gone') return;
      if (next === 'late' || next === 'stopping') {
        const [status, refusal] = next === 'late' ? ([408, 'timeout'] as const) : ([503, 'stopping'] as const);
        await writer.write(lineOf(number + 1, `"status":${status},"problem":${bodyOf(refusal)}`));
        response.end();
        clock.after(LINGER_MS, () => request.destroy());
        return;
      }
      if (next.done === true) break;
      number += 1;
      const text = await answerLine(batched, next.value);
      if (text !== undefined && !(await writer.write(lineOf(number, text)))) return;
      if (clock.monotonicMs() < turnEndMs) continue;
      await afterOthers();
      turnEndMs = clock.monotonicMs() + TURN_MS;
    }
    response.end();
  };

  const inTime = (reading: Promise<IteratorResult<Line>>, running: Running): Promise<Next> =>
    new Promise((resolve) => {
      const settle = (next: Next): void => {
        cancel();
        running.interrupt = undefined;
        resolve(next);
      };
      const cancel = clock.after(PATIENCE_MS, () => settle('late'));
      running.interrupt = () => settle('stopping');
      reading.then(settle, () => settle('gone'));
    });

  const answerLine = async <Body>(batched: Batched<Body>, line: Line): Promise<string | undefined> => {
    if (line.kind === 'too-long') return `"status":413,"problem":${bodyOf('bodyTooLarge')}`;
    if (isBlank(line.bytes)) return undefined;
    const json = parseJson(line.bytes);
    if (!json.ok) return invalid(json.problems);
    const nowMs = clock.nowMs();
    const usual = batched.quick(json.value, nowMs);
    const checked =
      usual === undefined ? validateBody(batched.schema, json.value) : ({ ok: true, value: usual } as const);
    if (!checked.ok) return invalid(checked.problems);
    const id = randomUUID();
    return `"status":200,"id":"${id}","answer":${await batched.answer(checked.value, id, nowMs)}`;
  };

  const route = <Body>(batched: Batched<Body>): StreamRoute => ({
    method: 'POST',
    path: batched.path,
    access: 'detect',
    tag: 'detection',
    summary: batched.summary,
    lines: { contentType: LINES_TYPE, schema: batched.schema },
    answer: {
      contentType: LINES_TYPE,
      schema: batchLine(batched.answerSchema),
      description: 'One line for each line that is not blank, in their order, while they arrive.',
    },
    refusals: ['tooManyStreams'],
    stream: async (call) => {
      if (open.size >= MAX_BATCHES) {
        return refuse(call.response, refusalReply('tooManyStreams', { 'retry-after': '1' }), call.head);
      }
      const running: Running = { isStopping: false };
      open.add(running);
      try {
        await answerAll(batched, call, running);
      } finally {
        open.delete(running);
      }
    },
  });

  return {
    route,
    endAll: () => {
      for (const running of open) {
        running.isStopping = true;
        running.interrupt?.();
      }
    },
  };
}

const lineOf = (number: number, members: string): string => `{"line":${number},${members}}\n`;
const invalid = (problems: readonly Problem[]): string =>
  `"status":422,"problem":${JSON.stringify(problemsBody(problems))}`;
/** Nothing but blanks: the end of the last line, or a line that somebody left empty. */
const isBlank = (bytes: Buffer): boolean => bytes.length < 64 && bytes.toString('latin1').trim() === '';
