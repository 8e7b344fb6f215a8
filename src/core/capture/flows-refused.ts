// Why records of flows will not do where it is asked when packets came.

export const FLOWS_REFUSED =
  'holds records of flows, which say when each began and ended but not when its packets came: how long a packet would wait, and what shows of it, hangs on just that. Only attack identify and attack activity read them';

/** Titles that a table of packets has no use for: when a flow ended, how long it was, how many packets it had. */
const flowTitles =
  /^(td|te|dur|duration|(end|last)[ _]?time|last seen|date last seen|ltime|flow_end|i?pkts?|packets)$/;

/** Whether a table's titles, in small letters, are those of flows. */
export function areOfFlows(titles: readonly string[]): boolean {
  return titles.some((title) => flowTitles.test(title));
}
