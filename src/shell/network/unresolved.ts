// What the kernel keeps for a gateway that it has lost sight of, and sends at once when that is back.
import type { Sysctls } from './sysctls.ts';

/** In place of some hundred packets: three of the default size with what the kernel adds to them, one of the largest. */
const KEPT_BYTES = '4096';

/**
 * Has the kernel keep less, so that a line that comes back lets no burst through. Where that is refused, as in some containers,
 * all goes on without.
 */
export async function keepLittleUnresolved(
  sysctls: Sysctls,
  netdevs: readonly string[],
): Promise<void> {
  for (const netdev of netdevs) {
    for (const family of ['ipv4', 'ipv6']) {
      const path = `net/${family}/neigh/${netdev}/unres_qlen_bytes`;
      await sysctls.set(path, KEPT_BYTES).catch(() => {});
    }
  }
}
