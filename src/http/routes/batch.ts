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
/** A client that neither sends nor reads for so long is given up. */
const PATIENCE_MS = 30_000;

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

/** Makes the batch routes; they share the room for batches. */
export function createBatches({ clock }: HttpDependencies): <Body>(batched: Batched<Body>) => StreamRoute {
  let open = 0;

  const answerAll = async <Body>(batched: Batched<Body>, { request, response, head }: StreamCall): Promise<void> => {
    giveGoAhead(request, response);
    response.writeHead(200, [...head, 'content-type', `${LINES_TYPE}; charset=utf-8`]);
    response.flushHeaders();
    const writer = createStreamWriter(response, PATIENCE_MS, clock);
    const lines = readLines(request, MAX_LINE_BYTES);
    let number = 0;
    let turnEndMs = clock.monotonicMs() + TURN_MS;
    for (;;) {
      const next = await inTime(lines.next());
      if (next === 'late') {
        await writer.write(lineOf(number + 1, `"status":408,"problem":${bodyOf('timeout')}`));
        break;
      }
      if (next === 'gone') return;
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

  const inTime = (reading: Promise<IteratorResult<Line>>): Promise<IteratorResult<Line> | 'late' | 'gone'> =>
    new Promise((resolve) => {
      const cancel = clock.after(PATIENCE_MS, () => resolve('late'));
      reading.then(
        (line) => {
          cancel();
          resolve(line);
        },
        () => {
          cancel();
          resolve('gone');
        },
      );
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

  return (batched) => ({
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
      if (open >= MAX_BATCHES) {
        return refuse(call.response, refusalReply('tooManyStreams', { 'retry-after': '1' }), call.head);
      }
      open += 1;
      try {
        await answerAll(batched, call);
      } finally {
        open -= 1;
      }
    },
  });
}

const lineOf = (number: number, members: string): string => `{"line":${number},${members}}\n`;
const invalid = (problems: readonly Problem[]): string =>
  `"status":422,"problem":${JSON.stringify(problemsBody(problems))}`;
/** Nothing but blanks: the end of the last line, or a line that somebody left empty. */
const isBlank = (bytes: Buffer): boolean => bytes.length < 64 && bytes.toString('latin1').trim() === '';
