// Serves the page to any browser: node build/test/luci/serve.js [SOCKET CONFIG_DIRECTORY]
//
// Without arguments over the fake service; with them over whatever offers `iotshaper` on that bus,
// such as the real daemon in a lab, whose /etc/config is the directory.
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { UbusClient } from '../../src/shell/ubus/client.ts';
import { triggerReload } from './bridge/reload-trigger.ts';
import { startBridge } from './bridge/server.ts';
import { startRouter, usualFacts } from './router.ts';

const [socketPath, configDirectory] = process.argv.slice(2);

async function serveBus(socket: string, directory: string) {
  const bus = new UbusClient(nodeSystem, { socketPath: socket });
  await bus.whenConnected(5000);
  return startBridge({
    configDirectory: directory,
    bus,
    facts: usualFacts,
    onApplied: (configs) => triggerReload(bus, configs),
    luciSource: process.env.LUCI_SOURCE,
  });
}

const { url } =
  socketPath && configDirectory ? await serveBus(socketPath, configDirectory) : await startRouter();
console.log(`${url}/overview`);
