// A home on Debian for its page: the real server with its files, over the fake service and a real configuration file.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../src/core/config/config.ts';
import { createPage } from '../../src/shell/cli/debian/page-service.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { System } from '../../src/shell/system/system.ts';
import { iotshaperMethods } from '../../src/shell/ubus/iotshaper-object.ts';
import { hashPassword } from '../../src/shell/web/password-hash.ts';
import { PASSWORD_FILE } from '../../src/shell/web/place.ts';
import { FakeService } from './fake-service.ts';
import { usualConfig } from './router.ts';

export const password = 'a password of this test';

const answers: Record<string, object[]> = {
  'addr show': [
    { ifname: 'lo', addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8 }] },
    { ifname: 'br-iot', addr_info: [{ family: 'inet', local: '192.168.2.1', prefixlen: 24 }] },
    { ifname: 'eth0', addr_info: [{ family: 'inet', local: '198.51.100.2', prefixlen: 24 }] },
  ],
  '-4 route show default': [{ dst: 'default', dev: 'eth0', gateway: '198.51.100.1' }],
  'neigh show': [
    { dst: '192.168.2.60', dev: 'br-iot', lladdr: '44:65:0d:00:00:02', state: ['REACHABLE'] },
    { dst: '198.51.100.1', dev: 'eth0', lladdr: '00:00:5e:00:01:01', state: ['REACHABLE'] },
  ],
};

const lease = '1700000000 44:65:0d:00:00:02 192.168.2.60 echo-dot *\n';

export interface Home {
  url: string;
  port: number;
  service: FakeService;
  configPath: string;
  log: string[];
  setPassword(text: string): Promise<void>;
  close(): Promise<void>;
}

/** A port that nobody has. */
async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** @param networks that the loopback stands for: the devices' by default */
export async function startHome({ config = usualConfig, netdev = 'br-iot' } = {}): Promise<Home> {
  const directory = mkdtempSync(join(tmpdir(), 'iotshaper-page-'));
  const configPath = join(directory, 'iotshaper');
  const port = await findPort();
  writeFileSync(configPath, config.replace("'main'\n", `'main'\n\toption page_port '${port}'\n`));
  const setPassword = async (text: string) => {
    const line = await hashPassword(text, nodeSystem.randomBytes(16));
    writeFileSync(join(directory, PASSWORD_FILE), line);
  };
  await setPassword(password);
  const system: System = {
    ...nodeSystem,
    sockets: {
      ...nodeSystem.sockets,
      netdevAddresses: () => [{ netdev, address: '127.0.0.1', length: 8, mac: '' }],
    },
    files: {
      ...nodeSystem.files,
      readText: async (path) =>
        path.endsWith('.leases') ? lease : nodeSystem.files.readText(path),
    },
    processes: {
      ...nodeSystem.processes,
      run: async (argv, options) =>
        argv[0] === 'ip'
          ? { stdout: JSON.stringify(answers[argv.slice(2).join(' ')] ?? []), stderr: '' }
          : nodeSystem.processes.run(argv, options),
    },
  };
  const service = new FakeService(configPath);
  service.now = Math.floor(Date.now() / 1000);
  const log: string[] = [];
  const page = await createPage({
    ...{ system, configPath, folder: 'dist/page' },
    log: (level, text) => log.push(`${level}: ${text}`),
    service: iotshaperMethods(service),
    reload: () => service.reload(),
  });
  await page.start();
  return {
    ...{ url: `https://127.0.0.1:${port}`, port, service, configPath, log, setPassword },
    async close() {
      await page.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const readSettings = ({ configPath }: Home) => parseConfig(readFileSync(configPath)).config;
