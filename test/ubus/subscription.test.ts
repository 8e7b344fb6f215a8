// A subscription whose object comes at the very moment it looks for it.

import test from 'ava';
import type { Attributes } from '../../src/shell/ubus/attributes.ts';
import { encodeBlobmsg } from '../../src/shell/ubus/blobmsg.ts';
import type { Bus } from '../../src/shell/ubus/bus-object.ts';
import { messageType } from '../../src/shell/ubus/frame.ts';
import { subscriptionBehaviour } from '../../src/shell/ubus/subscription.ts';
import { toBlobmsg } from '../../src/shell/ubus/values.ts';

test('seen twice, subscribed once', async (t) => {
  const targets: number[] = [];
  const presences: boolean[] = [];
  const behaviour = subscriptionBehaviour(
    'iotshaper',
    () => {},
    (present) => presences.push(present),
  );
  const appear = (id: number, path: string) =>
    behaviour.onInvoke({
      method: 'ubus.object.add',
      // ubusd writes its unsigned ids as int32.
      data: encodeBlobmsg(toBlobmsg({ id: id | 0, path })),
      caller: { user: '', group: '' },
      peer: 0,
    });
  const bus: Bus = {
    async request(_, type: number, attributes: Attributes) {
      if (type === messageType.subscribe) targets.push(attributes.target!);
      if (type !== messageType.lookup) return [];
      await appear(0xf0000007, 'iotshaper');
      await appear(0xf0000008, 'another');
      return [{ objectId: 0xf0000007 }];
    },
  };
  await behaviour.onAdded?.(bus, 2000);
  t.deepEqual(targets, [0xf0000007]);
  t.deepEqual(presences, [true]);
});
