import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../src/kubernetes/json.ts';
import { loadLogin } from '../../../src/kubernetes/kubeconfig.ts';
import { aKubeconfig } from '../../support/builders/kubernetes.ts';

const load = async (server: string, user?: Json, cluster?: Json) => {
  const path = await aKubeconfig(server, user, cluster);
  return { path, login: await loadLogin({ kind: 'kubeconfig', path }) };
};

describe('a kubeconfig', () => {
  test('gives cluster, user and namespace; file paths are those beside it', async () => {
    const { path, login } = await load(
      'https://api.example:6443/',
      { 'client-certificate': 'me.crt', 'client-key': '/keys/me.key' },
      { 'certificate-authority': 'ca.crt', 'tls-server-name': 'kubernetes' },
    );
    expect(login).toMatchObject({
      ok: true,
      value: {
        namespace: 'shop',
        cluster: {
          server: 'https://api.example:6443',
          caFile: join(dirname(path), 'ca.crt'),
          tlsServerName: 'kubernetes',
          skipTLSVerify: false,
        },
        user: { certFile: join(dirname(path), 'me.crt'), keyFile: '/keys/me.key' },
      },
    });
  });

  test('a token file is kept as a file, so that it can be read again', async () => {
    const { path, login } = await load('https://a', { 'token-file': 'token' });
    expect(login.ok && login.value.user).toMatchObject({
      authProvider: { name: 'tokenFile', config: { tokenFile: join(dirname(path), 'token') } },
    });
    expect(login.ok && login.value.user.token).toBeUndefined();
  });

  const refused: [string, string, Json, Json, RegExp][] = [
    ['plain http to another machine', 'http://api.example', {}, {}, /plain http/],
    ['an address that is none', 'ftp://x', {}, {}, /not a server address/],
    ['a SOCKS proxy', 'https://a', {}, { 'proxy-url': 'socks5://p' }, /SOCKS/],
    ['a provider that is gone', 'https://a', { 'auth-provider': { name: 'gcp' } }, {}, /gcp is gone/],
  ];
  test.each(refused)('refuses %s', async (_row, server, user, cluster, message) => {
    const { path, login } = await load(server, user, cluster);
    const error = login.ok ? '' : login.error;
    expect(error).toMatch(message);
    expect(error.startsWith(path)).toBe(true);
  });

  test('plain http on the loopback interface is allowed', async () => {
    expect((await load('http://127.0.0.1:8001')).login.ok).toBe(true);
    expect((await load('http://[::1]:8001')).login.ok).toBe(true);
  });

  test('names a context that is not there, a file that is not there, and a file that is none', async () => {
    const path = await aKubeconfig('https://a');
    expect(await loadLogin({ kind: 'kubeconfig', path, context: 'other' })).toMatchObject({ ok: false });
    expect(await loadLogin({ kind: 'kubeconfig', path: '/nowhere/config' })).toMatchObject({ ok: false });
    await writeFile(path, '{');
    expect(await loadLogin({ kind: 'kubeconfig', path })).toMatchObject({ ok: false });
  });
});

test('in the cluster: https, the mounted CA and token, the own namespace', async () => {
  const root = await mkdtemp(join(tmpdir(), 'aegis-account-'));
  await writeFile(join(root, 'namespace'), 'aegis\n');
  expect(await loadLogin({ kind: 'in-cluster', host: 'fd00::1', port: '443', root })).toMatchObject({
    ok: true,
    value: {
      namespace: 'aegis',
      cluster: { server: 'https://[fd00::1]:443', caFile: join(root, 'ca.crt'), skipTLSVerify: false },
      user: { authProvider: { name: 'tokenFile', config: { tokenFile: join(root, 'token') } } },
    },
  });
});
