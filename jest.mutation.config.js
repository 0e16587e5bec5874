/** One room's own tests, for `npm run mutation`: no other project, and nothing that starts a cluster. */
import { base } from './jest.config.js';

export default {
  ...base,
  testMatch: [`<rootDir>/test/unit/${process.env.ROOM ?? 'detection/statistics'}/**/*.test.ts`],
};
