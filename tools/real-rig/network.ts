import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The node's own address: the bridge of its pods. Only the isolated network has it. */
export const NODE_ADDRESS = '10.88.0.1';
export const POD_NETWORK = '10.88.0.0/16';
/** As the control plane has it. */
const SERVICE_NETWORK = '10.96.0.0/24';
const BRIDGE = 'aegis0';

/** Where Debian's package containernetworking-plugins puts its plugins. */
export const CNI_PLUGINS = '/usr/lib/cni';

/** Loopback and the pods' bridge, in a network namespace that has neither. Returns the folder of the CNI configuration. */
export function makeNetwork(stateDir: string): string {
  const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', BRIDGE, 'type', 'bridge');
  ip('address', 'add', `${NODE_ADDRESS}/16`, 'dev', BRIDGE);
  ip('link', 'set', BRIDGE, 'up');
  // The node's own calls to a service: they need a route before kube-proxy turns them to a pod.
  ip('route', 'add', SERVICE_NETWORK, 'dev', BRIDGE);
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1'); // of this network namespace alone
  const folder = join(stateDir, 'cni');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '10-aegis.conflist'), JSON.stringify(conflist(join(stateDir, 'cni-addresses'))));
  return folder;
}

function conflist(dataDir: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'aegis',
    plugins: [
      {
        type: 'bridge',
        bridge: BRIDGE,
        isGateway: true,
        hairpinMode: true,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir,
          ranges: [[{ subnet: POD_NETWORK, gateway: NODE_ADDRESS }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'loopback' },
    ],
  };
}
