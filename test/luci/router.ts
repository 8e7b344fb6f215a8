// A router for the page: configuration file, bus with the fake service on it, web server.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../src/core/config/config.ts';
import type { Config } from '../../src/core/config/types.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { UbusClient } from '../../src/shell/ubus/client.ts';
import { publishIotshaper } from '../../src/shell/ubus/iotshaper-object.ts';
import { startUbusd } from '../stand-ins/ubusd/ubusd.ts';
import { triggerReload } from './bridge/reload-trigger.ts';
import type { RouterFacts } from './bridge/rpcd.ts';
import { type Bridge, startBridge } from './bridge/server.ts';
import { FakeService } from './fake-service.ts';

export const usualConfig = `
config iotshaper 'main'
	option enabled '1'
	option rate '40'
	option data_cap '1000'

config tunnel 'tunnel'
	option profile '/etc/iotshaper/home.ovpn'

config network
	option device 'br-iot'

config device
	option name 'Nest Cam'
	option mac '18:B4:30:00:00:01'
	option policy 'shape'

config device
	option name 'Old printer'
	list ip '192.168.1.77'
	option policy 'block'
`;

export const usualFacts: RouterFacts = {
  hints: {
    '18:B4:30:00:00:01': { ipaddrs: ['192.168.1.50'], ip6addrs: [], name: 'nest-cam.lan' },
    '44:65:0D:00:00:02': { ipaddrs: ['192.168.1.51'], ip6addrs: ['fe80::4665:dff:fe00:2'] },
    '38:1F:8D:B0:C9:01': { ipaddrs: ['192.168.1.52'], ip6addrs: [], name: 'kitchen-plug.lan' },
    'DA:A1:19:00:00:04': { ipaddrs: ['192.168.1.53'], ip6addrs: [], name: 'phone.lan' },
    'C6:92:22:AE:94:5C': { ipaddrs: ['192.168.1.1'], ip6addrs: [], name: 'OpenWrt.lan' },
    // The provider's gateway, which is a neighbour of the router like any device.
    '00:00:5E:00:01:01': { ipaddrs: ['203.0.113.1'], ip6addrs: [] },
  },
  leases: {
    dhcp_leases: [
      { expires: 3000, hostname: 'echo-dot', macaddr: '44:65:0D:00:00:02', ipaddr: '192.168.1.51' },
    ],
    dhcp6_leases: [],
  },
  interfaces: [
    { interface: 'lan', l3_device: 'br-lan', 'ipv4-address': [{ address: '192.168.1.1' }] },
    { interface: 'iot', l3_device: 'br-iot', 'ipv4-address': [{ address: '192.168.2.1' }] },
    { interface: 'loopback', l3_device: 'lo', 'ipv4-address': [{ address: '127.0.0.1' }] },
    {
      interface: 'wan',
      l3_device: 'eth1',
      route: [{ target: '0.0.0.0', mask: 0, nexthop: '203.0.113.1' }],
    },
  ],
  service: { enabled: true, running: true },
};

const usualDevices = [
  ['Nest Cam', '18:b4:30:00:00:01', '192.168.1.50', 'shape', true, 9.4],
  ['echo-dot', '44:65:0d:00:00:02', '192.168.1.51', 'shape', true, 0.6],
  ['Old printer', '', '192.168.1.77', 'block', false, 0],
] as const;

export interface Router extends Bridge {
  service: FakeService;
  configPath: string;
  /** Commands that a page ran while the service was stopped. */
  executed: string[];
  /** The configuration file as the service would read it now. */
  readConfig(): Config;
  writeConfig(text: string): Promise<void>;
  /** Takes the service off the bus, as when it is stopped. */
  stopService(): Promise<void>;
}

export interface RouterOptions {
  config?: string;
  facts?: Partial<RouterFacts>;
}

export async function startRouter({
  config = usualConfig,
  facts = {},
}: RouterOptions = {}): Promise<Router> {
  const directory = mkdtempSync(join(tmpdir(), 'iotshaper-luci-'));
  const configPath = join(directory, 'iotshaper');
  writeFileSync(configPath, config);
  const socketPath = join(directory, 'ubus.sock');
  const ubusd = await startUbusd(socketPath);
  // One connection serves, another calls, as daemon and uhttpd do.
  const [provider, caller] = [
    new UbusClient(nodeSystem, { socketPath }),
    new UbusClient(nodeSystem, { socketPath }),
  ];
  await Promise.all([provider.whenConnected(5000), caller.whenConnected(5000)]);

  const service = new FakeService(configPath);
  service.now = Math.floor(Date.now() / 1000);
  service.devices = usualDevices.map(([name, mac, ip, policy, online, kBps]) => ({
    name,
    mac,
    ip: [ip],
    policy,
    online,
    kBps,
    tx_bytes: 12_345_678,
    rx_bytes: 987_654,
  }));
  let published = publishIotshaper(provider, service);
  await published.whenPresent();

  const bridge = await startBridge({
    configDirectory: directory,
    bus: caller,
    facts: { ...usualFacts, ...facts },
    onApplied: (configs) => triggerReload(caller, configs),
    luciSource: process.env.LUCI_SOURCE,
  });
  const executed: string[] = [];
  const { close } = bridge;
  return Object.assign(bridge, {
    service,
    configPath,
    executed,
    readConfig: () => parseConfig(readFileSync(configPath)).config,
    async writeConfig(text: string) {
      writeFileSync(configPath, text);
      await service.reload();
    },
    async stopService() {
      await published.remove();
      bridge.rpcd.facts.service = { enabled: true, running: false };
      bridge.rpcd.facts.onExec = (words) => {
        executed.push(words);
        if (!words.endsWith(' start')) return;
        published = publishIotshaper(provider, service);
        bridge.rpcd.facts.service = { enabled: true, running: true };
      };
    },
    async close() {
      await close();
      provider.close();
      caller.close();
      await ubusd.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
}
