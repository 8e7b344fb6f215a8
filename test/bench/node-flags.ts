// What the packages tell Node.js: by itself it lets its heap grow for hours before it looks what of it is needed.
import { readFileSync } from 'node:fs';

/** Of a router's service, and of an endpoint's. */
export const nodeFlags: Record<'home' | 'endpoint', string[]> = {
  home: /small="([^"]+)"/.exec(readFileSync('files/usr/bin/iotshaper', 'utf8'))![1]!.split(' '),
  endpoint: /^Environment=IOTSHAPER_NODE_FLAGS=(.*)$/m
    .exec(readFileSync('files/debian/iotshaper-endpoint.service', 'utf8'))![1]!
    .split(':'),
};
