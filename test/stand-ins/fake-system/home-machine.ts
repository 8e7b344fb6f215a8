// A router with a home behind it, ready for the service: its netdevs, its files, and the endpoint that its profile names.
import { readFileSync } from 'node:fs';
import { checkProfile } from '../../../src/core/openvpn/profile.ts';
import { pemReader } from '../../../src/shell/openvpn/pem-reader.ts';
import { FakeMachine } from './machine.ts';

/** Where the service finds its files on this machine. */
export const homePaths = {
  configPath: '/etc/config/iotshaper',
  runDir: '/var/run/iotshaper',
  stateDir: '/etc/iotshaper',
} as const;

/** Nothing on it names netdevs otherwise than they are named. */
export const readInterfaces = async () => null;

/** The configuration of the default golden case: one network, everything in it a device. */
export const defaultConfig = readFileSync('test/golden/home/default/iotshaper', 'utf8');
/** The same with few slots a second, so that a second of it is soon over. */
export const calmConfig = defaultConfig.replace("enabled '1'", "enabled '1'\n\toption rate '8'");
const profileText = readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8');
const verdict = checkProfile(profileText, pemReader);
if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
const { controlKey } = verdict.profile;

export interface HomeMachineOptions {
  seed?: number;
  /** Text of the configuration; {@link calmConfig} without. */
  config?: string;
}

/** Makes the machine; nothing of the service is on it yet. */
export function createHomeMachine({
  seed = 1,
  config = calmConfig,
}: HomeMachineOptions = {}): FakeMachine {
  const machine = new FakeMachine({
    seed,
    addNetwork,
    controlKey,
    inner: {
      prefix4: '10.214.2.0/24',
      prefix6: null,
      resolver4: '10.214.0.1',
      resolver6: null,
    },
  });
  const { files, ip } = machine;
  ip.addNetdev({ name: 'lo', mac: '00:00:00:00:00:00', addresses: ['127.0.0.1/8'] });
  ip.addNetdev({ name: 'wan', mac: '02:00:00:00:00:01', addresses: ['198.51.100.10/24'] });
  ip.addNetdev({ name: 'lan1', kind: 'dsa', mac: '02:00:00:00:01:01', master: 'br-lan' });
  const lan = { name: 'br-lan', kind: 'bridge', mac: '02:00:00:00:01:00' };
  ip.addNetdev({ ...lan, addresses: ['192.168.1.1/24'] });
  ip.setRoute({
    ...{ family: 4, table: 'main', type: 'unicast', destination: 'default' },
    ...{ dev: 'wan', via: '198.51.100.1', metric: 0, protocol: 'static' },
  });
  files.plant(
    '/etc/passwd',
    'root:x:0:0:root:/root:/bin/ash\nnobody:*:65534:65534::/:/bin/false\n',
  );
  files.plant('/tmp/resolv.conf.d/resolv.conf.auto', '# Interface wan\nnameserver 198.51.100.1\n');
  files.plant('/etc/group', 'root:x:0:\nnogroup:x:65534:\n');
  files.plant(homePaths.configPath, config, 0o600);
  files.plant('/etc/iotshaper/home.ovpn', profileText, 0o600);
  for (const folder of [homePaths.runDir, homePaths.stateDir]) files.makeFolder(folder, 0o700);
  return machine;
}

/** The network of the devices, with one of them in it. */
export function addNetwork({ ip }: FakeMachine): void {
  ip.addNetdev({ name: 'iot1', kind: 'dsa', mac: '02:00:00:00:08:01', master: 'br-iot' });
  const network = { name: 'br-iot', kind: 'bridge', mac: '02:00:00:00:08:00' };
  ip.addNetdev({ ...network, addresses: ['192.168.8.1/24'] });
  ip.addNeighbour('br-iot', '192.168.8.11', '02:00:00:00:08:0b');
}
