import { expect, test } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { codeOf, messageOf } from '../../../src/lib/thrown.ts';

test.each<[string, unknown, string, string]>([
  ['an error with a code', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED', 'refused'],
  ['an error of another realm', runInNewContext('new Error("far")'), '', 'far'],
  ['an error without a message', new Error(), '', 'unknown fault'],
  ['text', 'oops', '', 'oops'],
  ['a numeric code', { code: 7, message: 'seven' }, '', 'seven'],
  ['null', null, '', 'unknown fault'],
  ['undefined', undefined, '', 'unknown fault'],
])('%s', (_, thrown, code, message) => {
  expect(codeOf(thrown)).toBe(code);
  expect(messageOf(thrown)).toBe(message);
});
