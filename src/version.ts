/** Version of this release; `package.json` and the chart carry the same. */
export const VERSION = '0.1.0';
