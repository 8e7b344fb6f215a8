// What a lab run is asked for.

import { modeNames } from '../../core/pacing/modes.ts';
import { streamDefaults } from '../../core/stream/stream.ts';
import type { DeviceId } from '../devices/catalogue.ts';
import type { Load } from './traffic/loads.ts';

export const variants = ['unprotected', 'block', 'vpn', 'paper', ...modeNames, 'placebo'] as const;

/**
 * How the home is protected: not at all, by a firewall that lets no device out, by a VPN alone, by the paper's
 * prototype, by iot-shaper in one of its modes; `placebo` is the default mode while the devices' traffic stays in the LAN.
 */
export type Variant = (typeof variants)[number];

export interface LabOptions {
  variant: Variant;
  seconds: number;
  /** Folder for what the run leaves. */
  out: string;
  rateKBps: number;
  packetBytes: number;
  intervalSdPercent: number;
  seed: number;
  /** A capture to play in place of the emulated devices. */
  replay: { path: string; device: string; offsetS: number | null } | null;
  /** Which emulated devices talk; null: all of them. */
  devices: readonly DeviceId[] | null;
  /** What the devices do; left out: live as a household. */
  load?: Load;
  /** All emulated devices idle and active by turns of so long each; null: each at times of its own. */
  alternateS: number | null;
  /** Share of the tunnel's datagrams the provider loses, both ways. */
  dropPercent: number;
  ipv6: boolean;
  /** Another program has the router's core while devices are active. */
  busyRouter?: boolean;
  /** Part of the namespaces' names. */
  id: string;
}

export const labDefaults = {
  seconds: 60,
  rateKBps: streamDefaults.rateKBps,
  packetBytes: streamDefaults.packetBytes,
  intervalSdPercent: streamDefaults.intervalSdPercent,
  seed: 1,
};

/** What a run tells while it goes on. */
export interface LabProgress {
  /** A step that takes more than a moment begins. */
  step(words: string): void;
  /** Called about once a second while traffic flows. */
  tick(elapsedS: number, totalS: number): void;
  /** Something the user should know that does not end the run. */
  warn(words: string): void;
}
