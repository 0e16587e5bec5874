/**
 * What the unit tests import as `@jest/globals`, for the mutation runs: tests are collected once and can then be run one by
 * one, as often as there are mutants. The matchers and the `each` tables are Jest's own packages. Only what the tests of the
 * pure rooms use is here; anything else fails when it is called, so that no test passes by being left out.
 */
import { expect } from 'expect';
import { bind } from 'jest-each';

export { expect };

type Body = () => unknown;

/** One test, with the hooks of the suites around it. */
export interface CollectedTest {
  /** The file, relative to the sandbox, and the full name: what tells two tests apart. */
  readonly id: string;
  readonly name: string;
  readonly file: string;
  readonly run: () => Promise<void>;
}

interface Suite {
  readonly names: readonly string[];
  readonly before: Body[];
  readonly after: Body[];
  readonly outer: Suite | undefined;
}

const newSuite = (names: readonly string[], outer?: Suite): Suite => ({ names, before: [], after: [], outer });

let tests: CollectedTest[] = [];
let file = '';
let suite = newSuite([]);

/** What `load` registers, in the order of the file. */
export async function collectTests(fileName: string, load: () => Promise<unknown>): Promise<readonly CollectedTest[]> {
  tests = [];
  file = fileName;
  suite = newSuite([]);
  await load();
  return tests;
}

const outermostFirst = (inner: Suite): readonly Suite[] =>
  inner.outer === undefined ? [inner] : [...outermostFirst(inner.outer), inner];

function register(title: string, body: Body): void {
  const around = outermostFirst(suite);
  const name = [...suite.names, title].join(' ');
  const run = async (): Promise<void> => {
    for (const hook of around.flatMap((one) => one.before)) await hook();
    await body();
    for (const hook of around.toReversed().flatMap((one) => one.after)) await hook();
  };
  tests.push({ id: `${file} › ${name}`, name, file, run });
}

function registerSuite(title: string, body: Body): void {
  const outer = suite;
  suite = newSuite([...outer.names, title], outer);
  body();
  suite = outer;
}

type Register = (title: string, body: Body) => void;

/** Jest hands over a title that is a function or a class as its name. */
const withTable = (one: Register): Register & { each: unknown } => {
  const named = (title: string, body: Body): void => one(String(title), body);
  return Object.assign(named, { each: bind(named as Parameters<typeof bind>[0], false) });
};

export const test = withTable(register);
export const it = test;
export const describe = withTable(registerSuite);
export const beforeEach = (hook: Body): void => void suite.before.push(hook);
export const afterEach = (hook: Body): void => void suite.after.unshift(hook);

const absent = (name: string) => (): never => {
  throw new Error(`${name} is not there in mutation runs: see tools/mutation/test-globals.ts`);
};
export const beforeAll = absent('beforeAll');
export const afterAll = absent('afterAll');
export const jest = new Proxy({}, { get: (_, name) => absent(`jest.${String(name)}`)() });
