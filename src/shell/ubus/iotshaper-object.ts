// The object `iotshaper` on the bus: which ubus method asks the service for what.

import type { Reason, ServiceApi, Status } from '../../core/home/api.ts';
import { recordingS } from '../../core/home/recording.ts';
import type { BusHandle, UbusClient } from './client.ts';
import type { Method } from './object.ts';
import { UbusError } from './status.ts';
import type { Table } from './values.ts';

export const iotshaperPath = 'iotshaper';

/** What the notification `state` carries; whoever wants more asks `status`. */
export type StateNotification = Pick<Status, 'state' | 'since'> & Reason;

/**
 * Publishes the service and notifies `state` on every change, until removed.
 *
 * Replies are the types of `src/core/home/api.ts`, with these at the top since a reply is a table:
 * `history` → `{ samples }`, `reload` → nothing but its status.
 * `audit` takes `seconds` (10…86400, default 600), the `profile_…` methods `text`, `mend` a `code`.
 */
export function publishIotshaper(client: UbusClient, service: ServiceApi): BusHandle {
  const object = client.publish({ path: iotshaperPath, methods: iotshaperMethods(service) });
  const stop = service.onState(({ state, reason, reason_code, reason_values, since }) => {
    const told: StateNotification = { state, reason, reason_code, reason_values, since };
    object.notify('state', told);
  });
  return {
    whenPresent: object.whenPresent,
    async remove() {
      stop();
      await object.remove();
    },
  };
}

/** The object's methods over a service. */
export function iotshaperMethods(service: ServiceApi): Record<string, Method> {
  return {
    status: { arguments: {}, handler: () => service.status() },
    history: { arguments: {}, handler: () => ({ samples: service.history() }) },
    check: { arguments: {}, handler: () => service.check() },
    reload: {
      arguments: {},
      async handler() {
        await service.reload();
        return undefined;
      },
    },
    audit: {
      arguments: { seconds: 'int32' },
      handler: (args) => service.audit({ seconds: readSeconds(args) }),
    },
    audit_result: { arguments: {}, handler: () => service.auditResult() },
    recommend: { arguments: {}, handler: () => service.recommend() },
    profile_check: {
      arguments: { text: 'string' },
      handler: (args) => service.validateProfile({ text: readText(args, 'text') }),
    },
    profile_store: {
      arguments: { text: 'string' },
      handler: (args) => service.storeProfile({ text: readText(args, 'text') }),
    },
    mend: {
      arguments: { code: 'string' },
      handler: (args) => service.mend({ code: readText(args, 'code') }),
    },
  };
}

function readSeconds({ seconds = recordingS.usual }: Table): number {
  if (typeof seconds === 'number' && seconds >= recordingS.least && seconds <= recordingS.most) {
    return seconds;
  }
  throw new UbusError('INVALID_ARGUMENT');
}

function readText(args: Table, name: 'code' | 'text'): string {
  const text = args[name];
  if (typeof text === 'string') return text;
  throw new UbusError('INVALID_ARGUMENT');
}
