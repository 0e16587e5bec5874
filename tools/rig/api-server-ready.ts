import { readFileSync } from 'node:fs';
import { request } from 'node:https';

/** `/readyz` as the administrator, over the rig's own CA. */
export function isApiServerReady(url: string, caFile: string, token: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const options = { ca: readFileSync(caFile), headers: { authorization: `Bearer ${token}` }, timeout: 2_000 };
    const probe = request(`${url}/readyz`, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.on('timeout', () => probe.destroy(new Error('no answer')));
    probe.on('error', reject);
    probe.end();
  });
}
