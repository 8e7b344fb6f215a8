// IPv6 of devices: carried where the endpoint has it, refused at once where it has not.
import test from 'ava';
import { CLOUD6, HomeNetwork } from './home-network.ts';
import { readWire } from './wire.ts';

test.serial('carries IPv6 where the endpoint has it', async (t) => {
  const network = await HomeNetwork.build({ id: 'six', ipv6: true });
  t.teardown(() => network.close());
  network.startEndpoint();
  network.startHome();
  await network.startCloud(CLOUD6);
  await network.await('shaping');
  const stop = await network.capture('six.pcap');
  t.like(await network.device('echo', CLOUD6, '1452,10'), { missing: 0, damaged: 0 });
  t.deepEqual(await network.device('download', CLOUD6), { intact: true });
  t.deepEqual((await readWire(await stop())).outside, []);
});

test.serial('refuses IPv6 at once where the endpoint has none, and lets none out', async (t) => {
  const network = await HomeNetwork.build({ id: 'four', ipv6: true });
  t.teardown(() => network.close());
  await network.netns('endpoint', ['ip', '-6', 'route', 'del', 'default']);
  network.startEndpoint();
  network.startHome();
  await network.startCloud(CLOUD6);
  await network.await('shaping');
  const stop = await network.capture('four.pcap');
  const beganMs = performance.now();
  const { error } = await network.device('download', CLOUD6);
  t.regex(String(error), /EHOSTUNREACH|ENETUNREACH|EACCES|ECONNREFUSED/);
  t.true(performance.now() - beganMs < 5000);
  t.deepEqual((await readWire(await stop())).outside, []);
});
