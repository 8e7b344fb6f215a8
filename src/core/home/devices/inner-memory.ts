// Which inner address each device's address has, kept below the run directory: connections outlive a restart of the service.
import { ipVersion, lowPart } from '../../ip/address.ts';
import type { InnerPlace, InnerPlaces } from '../../plan/facts.ts';

/** More than there ever are. */
const MOST_KEPT = 4096;

export function renderPlaces({ places }: InnerPlaces): string {
  return `${JSON.stringify({ version: 1, places })}\n`;
}

/** Reads what {@link renderPlaces} wrote; whatever else stands there is nothing known. */
export function parsePlaces(text: string): InnerPlace[] {
  let kept: unknown;
  try {
    kept = JSON.parse(text);
  } catch {
    return [];
  }
  const { version, places } = (kept ?? {}) as Record<string, unknown>;
  if (version !== 1 || !Array.isArray(places)) return [];
  return places.slice(0, MOST_KEPT).flatMap((one) => {
    const { address, low, hasShared } = (one ?? {}) as Record<string, unknown>;
    if (typeof address !== 'string' || typeof low !== 'string') return [];
    const family = ipVersion(address);
    if (family === 0 || ipVersion(low) !== family || lowPart(low) !== low) return [];
    return [{ address, low, hasShared: hasShared === true }];
  });
}
