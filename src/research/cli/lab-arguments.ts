// What may stand behind the lab's options.

import { InvalidValue } from '../../shell/cli/failure.ts';
import { type DeviceId, deviceCatalogue } from '../devices/catalogue.ts';

export function deviceAddress(text: string): string {
  const address = text.toLowerCase();
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$|^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    throw new InvalidValue('must be a MAC address (aa:bb:cc:dd:ee:ff) or an IPv4 address.');
  }
  return address;
}

export const deviceIds = deviceCatalogue.map(({ id }) => id);

export function parseDevices(text: string): DeviceId[] {
  return text.split(',').map((part) => {
    const id = deviceIds.find((known) => known === part.trim());
    if (!id) throw new InvalidValue(`must be among ${deviceIds.join(', ')}.`);
    return id;
  });
}

export function labId(text: string): string {
  if (!/^[a-z0-9]{1,16}$/.test(text)) {
    throw new InvalidValue('must be 1 to 16 letters (a-z) and digits.');
  }
  return text;
}

export function defaultId(): string {
  return process.pid.toString(36);
}
