// Processor priority: what keeps the schedule comes before what does not.
import { setPriority } from 'node:os';

/**
 * Raises the calling thread's priority, and that of the children it starts from now on (setpriority(2) of Linux is per
 * thread). Does nothing where that is not allowed: timing is then a little worse, and the audit tells.
 *
 * @param nice -20 (first) … 19 (last).
 */
export function raisePriority(nice: number): void {
  try {
    setPriority(nice);
  } catch {
    // no CAP_SYS_NICE
  }
}
