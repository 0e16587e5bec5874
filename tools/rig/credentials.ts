import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets of one rig. They live as long as the rig and are readable by its owner only. */
export interface Credentials {
  /** The cluster administrator's bearer token. */
  readonly token: string;
  readonly tokenFile: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
}

/**
 * No certificate is made here: the API server signs its own for 127.0.0.1 at its first start, which then is the CA that
 * every client trusts. Only the key pair that signs service account tokens and the administrator's token are needed.
 */
export function createCredentials(stateDir: string): Credentials {
  const token = randomBytes(24).toString('hex');
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const secret = (name: string, content: string): string => {
    const path = join(stateDir, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  return {
    token,
    tokenFile: secret('tokens.csv', `${token},rig-admin,rig-admin,"system:masters"\n`),
    serviceAccountKey: secret('service-account.key', privateKey),
    serviceAccountPublicKey: secret('service-account.pub', publicKey),
  };
}
