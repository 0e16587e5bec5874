import { createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate that is its own CA, with its key: made anew for each test, so that no key is ever committed. */
export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
}

const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts);
const hex = (digits: string): Buffer => Buffer.from(digits, 'hex');
const utc = (ms: number): Buffer =>
  tlv(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

const ECDSA_SHA256 = sequence(tlv(0x06, hex('2a8648ce3d040302')));
const COMMON_NAME = hex('550403');
const SUBJECT_ALT_NAME = hex('551d11');
const BASIC_CONSTRAINTS = hex('551d13');

/** Valid for `host` (a DNS name or an IPv4 address) from yesterday for ten days. */
export function selfSigned(host: string): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const address = host.split('.').map(Number);
  const isAddress = address.length === 4 && address.every((part) => part >= 0 && part < 256);
  const altName = isAddress ? tlv(0x87, Buffer.from(address)) : tlv(0x82, Buffer.from(host));
  const name = sequence(tlv(0x31, sequence(tlv(0x06, COMMON_NAME), tlv(0x0c, Buffer.from(`test ${host}`)))));
  const extensions = sequence(
    sequence(tlv(0x06, BASIC_CONSTRAINTS), tlv(0x01, hex('ff')), tlv(0x04, sequence(tlv(0x01, hex('ff'))))),
    sequence(tlv(0x06, SUBJECT_ALT_NAME), tlv(0x04, sequence(altName))),
  );
  const now = Date.now();
  const body = sequence(
    tlv(0xa0, tlv(0x02, hex('02'))),
    tlv(0x02, Buffer.concat([hex('01'), randomBytes(8)])),
    ECDSA_SHA256,
    name,
    sequence(utc(now - 86_400_000), utc(now + 864_000_000)),
    name,
    createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' }),
    tlv(0xa3, extensions),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, ECDSA_SHA256, tlv(0x03, hex('00'), signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
