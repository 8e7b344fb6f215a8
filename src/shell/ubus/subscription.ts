// Hearing from the bus: subscriptions that outlive the object they follow, and events.

import { decodeBlobmsg, encodeBlobmsg } from './blobmsg.ts';
import type { Bus, BusObjectBehaviour } from './bus-object.ts';
import { messageType } from './frame.ts';
import { UbusError } from './status.ts';
import { fromBlobmsg, type Table, toBlobmsg } from './values.ts';

/** Object ubusd itself offers: `register` to hear events, `send` to raise them. */
const eventObjectId = 1;

/** Called with the type of a notification, or the name of an event, and its data. */
export type Listener = (type: string, data: Table) => void;

/** Hears events whose name is `pattern`, or begins with what stands before its final `*`. */
export function eventBehaviour(pattern: string, listener: Listener): BusObjectBehaviour {
  return {
    name: `listener for ${pattern}`,
    announcement: {},
    onAdded: (bus, objectId) => registerPattern(bus, objectId, pattern),
    onInvoke({ method, data }) {
      listener(method, fromBlobmsg(decodeBlobmsg(data)));
      return undefined;
    },
  };
}

/**
 * Follows the object at `path`: hears its notifications, whenever it is there. A subscription ends
 * with the object, so this one also hears of objects that come, and subscribes again.
 *
 * @param onPresence told whether the object is there, at first and on every change
 */
export function subscriptionBehaviour(
  path: string,
  listener: Listener,
  onPresence: (present: boolean) => void,
): BusObjectBehaviour {
  let bus: Bus | null = null;
  let ownId = 0;
  let targetId = 0;
  let told: boolean | null = null;

  const tell = (present: boolean) => {
    if (told === present) return;
    told = present;
    onPresence(present);
  };
  const follow = async (id: number) => {
    if (!bus || id === targetId) return;
    targetId = id;
    try {
      await bus.request(`subscribe to ${path}`, messageType.subscribe, {
        objectId: ownId,
        target: id,
      });
      if (targetId === id) tell(true);
    } catch (error) {
      if (targetId === id) targetId = 0;
      throw error;
    }
  };

  return {
    name: `subscription to ${path}`,
    announcement: {},
    async onAdded(newBus, objectId) {
      bus = newBus;
      ownId = objectId;
      // First the event, then the look: an object that comes in between is seen by one of them.
      await registerPattern(bus, objectId, 'ubus.object.add');
      try {
        const [found] = await bus.request(`look up ${path}`, messageType.lookup, {
          objectPath: path,
        });
        if (found?.objectId !== undefined) await follow(found.objectId);
      } catch (error) {
        if (!(error instanceof UbusError) || error.status !== 'NOT_FOUND') throw error;
        tell(false);
      }
    },
    onInvoke({ method, data, peer }) {
      const fields = fromBlobmsg(decodeBlobmsg(data));
      if (peer !== 0) listener(method, fields);
      else if (fields.path === path) return follow(Number(fields.id) >>> 0).then(() => undefined);
      return undefined;
    },
    onTargetGone(id) {
      if (id !== targetId) return;
      targetId = 0;
      tell(false);
    },
    onLost() {
      bus = null;
      targetId = 0;
      tell(false);
    },
  };
}

/** Raises an event. @throws UbusError PERMISSION_DENIED for names beginning with `ubus.` */
export async function raiseEvent(bus: Bus, name: string, data: object): Promise<void> {
  await bus.request(
    `send event ${name}`,
    messageType.invoke,
    {
      objectId: eventObjectId,
      method: 'send',
      data: encodeBlobmsg([
        { name: 'id', type: 'string', value: name },
        { name: 'data', type: 'table', value: toBlobmsg(data) },
      ]),
    },
    eventObjectId,
  );
}

async function registerPattern(bus: Bus, objectId: number, pattern: string): Promise<void> {
  await bus.request(
    `listen for ${pattern}`,
    messageType.invoke,
    {
      objectId: eventObjectId,
      method: 'register',
      data: encodeBlobmsg([
        // Ids are unsigned, blobmsg's int32 is not: the same 32 bits either way.
        { name: 'object', type: 'int32', value: objectId | 0 },
        { name: 'pattern', type: 'string', value: pattern },
      ]),
    },
    eventObjectId,
  );
}
