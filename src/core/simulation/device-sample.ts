// What a simulation runs on: packets, and whose they are.
import type { Sample } from '../capture/trace.ts';

/** A packet of a trace and whose it is. */
export interface DeviceSample extends Sample {
  /** MAC address, else IP address, else the file's name. */
  device: string;
}

/** What a simulation runs on. Files come in chunks, since waiting for each packet costs more than simulating it. */
export type Trace = AsyncIterable<readonly DeviceSample[]> | Iterable<DeviceSample>;
