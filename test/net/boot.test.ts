// A router from its first second to its last: no packet of a device beside the tunnel while it boots, restarts or goes down.
import { readFile, stat } from 'node:fs/promises';
import test from 'ava';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { HomeNetwork } from './home-network.ts';
import { readWire } from './wire.ts';

let network: HomeNetwork;
let before: Record<string, string>;

test.before(async () => {
  network = await HomeNetwork.build({ id: 'boot' });
  before = await network.traces();
  network.startEndpoint();
  await network.startCloud();
});

test.after.always(() => network?.close());

const tables = async () => (await network.netns('router', ['nft', 'list', 'tables'])).trim();

/** Runs `work` while a device talks without pause; resolves with what left beside the tunnel. */
async function outsideDuring(name: string, work: () => Promise<void>): Promise<unknown[]> {
  const stop = await network.capture(`${name}.pcap`);
  const talk = network.startDevice('chatter');
  await work();
  talk.kill();
  // While no OpenVPN listens, the router itself answers the endpoint's datagrams with "port unreachable".
  const refusal = `${lab.homeAddress} > ${lab.endpointAddress} protocol 1 `;
  return (await readWire(await stop())).outside.filter((line) => !line.startsWith(refusal));
}

test.serial(
  'a device talks past a router without the service, or the rest would prove nothing',
  async (t) => {
    const outside = await outsideDuring('open', async () => {
      await network.device('upload');
    });
    t.true(outside.length > 0);
  },
);

test.serial('from the first start to shaping, and over a restart, nothing leaves', async (t) => {
  network.startHome();
  await network.await('starting');
  const outside = await outsideDuring('restart', async () => {
    await network.await('shaping');
    network.services.get('home')!.kill('SIGUSR2');
    await network.stop('home');
    t.regex(await tables(), /inet iotshaper/);
    t.is(await network.status(), null);
    network.startHome();
    await network.await('shaping');
  });
  t.deepEqual(outside, []);
});

test.serial('between boot and shaping nothing leaves', async (t) => {
  const rules = network.path('state-home/boot.nft');
  t.is((await stat(rules)).mode & 0o777, 0o600);
  // The power fails: nothing of the kernel's state survives.
  await network.stop('home', 'SIGKILL');
  await network.netns('router', ['nft', 'delete', 'table', 'inet', 'iotshaper']);
  await network.netns('router', ['nft', '-f', rules]);
  const outside = await outsideDuring('boot', async () => {
    network.startHome();
    await network.await('shaping');
  });
  t.deepEqual(outside, []);
});

test.serial(
  'fw4’s way of rejecting what it does not know lets devices through, before and after a reload',
  async (t) => {
    const dropIn = await readFile('files/usr/share/nftables.d/ruleset-post/iotshaper.nft', 'utf8');
    // The shape of fw4's ruleset: emptied and filled in one transaction, policy drop, includes last.
    const fw4 = `table inet fw4
flush table inet fw4
table inet fw4 {
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		ct state established,related accept
		iifname "br-iot" accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		reject
	}
}
${dropIn}`;
    t.teardown(() => network.netns('router', ['nft', 'delete', 'table', 'inet', 'fw4']));
    await network.netns('router', ['nft', '-f', '-'], fw4);
    const upload = await network.device('upload');
    t.is(upload.got, upload.sent);
    for (let round = 0; round < 3; round++) await network.netns('router', ['nft', '-f', '-'], fw4);
    t.deepEqual(await network.device('download'), { intact: true });
    const forward = await network.netns('router', [
      'nft',
      'list',
      'chain',
      'inet',
      'fw4',
      'forward',
    ]);
    t.is(forward.match(/!iotshaper/g)?.length, 2);
    t.is((await network.await('shaping')).state, 'shaping');
  },
);

test.serial(
  'switched off by configuration it leaves nothing, for the next boot neither',
  async (t) => {
    await network.configure(["option enabled '0'"]);
    network.services.get('home')!.kill('SIGHUP');
    await network.await('off');
    await t.throwsAsync(stat(network.path('state-home/boot.nft')), { code: 'ENOENT' });
    await network.stop('home');
    t.deepEqual(await network.traces(), before);
  },
);
