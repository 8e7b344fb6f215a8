// What every variant of the lab offers: it is brought up, says how it can be told on the wire, and ends by the cleanup.
import type { Cleanup } from '../bed/cleanup.ts';
import type { LabProcess } from '../bed/processes.ts';
import type { Topology } from '../bed/topology.ts';
import type { LabOptions, LabProgress } from '../options.ts';

export interface VariantContext {
  topology: Topology;
  options: LabOptions;
  /** Private folder for keys and run-time files; removed afterwards. */
  workFolder: string;
  /** Where processes leave their logs. */
  logFolder: string;
  cleanup: Cleanup;
  progress: LabProgress;
  signal: AbortSignal;
}

export interface StartedVariant {
  /** UDP port of the endpoint's tunnel; null without one. */
  tunnelPort: number | null;
  /** What does the protecting, for its processor time. */
  home: LabProcess[];
  endpoint: LabProcess[];
  /** IP packets a second on the tunnel asked for in each direction; null where no rate is kept. */
  expectedPps: number | null;
  /** Bytes a second on the tunnel asked for in each direction, KB/s; null where no rate is kept. */
  expectedKBps: number | null;
  /** What the service says of itself; null where there is none. */
  readStatus(): Promise<unknown>;
  /** Packets that the tunnel's netdev dropped at either end; null without shaping. */
  readTxDropped(): Promise<{ home: number; endpoint: number } | null>;
}

/** Nothing stands between the devices and the provider but the router. */
export const withoutTunnel: StartedVariant = {
  tunnelPort: null,
  home: [],
  endpoint: [],
  expectedPps: null,
  expectedKBps: null,
  readStatus: async () => null,
  readTxDropped: async () => null,
};
