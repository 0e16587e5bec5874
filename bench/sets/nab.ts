import type { Bench } from '../registry.ts';

export const nabBench: Bench = { name: 'nab', about: 'NAB', run: () => undefined };
