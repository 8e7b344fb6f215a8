// How the kernel ends its answers by netlink.
import {
  encodeMessage,
  IS_LITTLE,
  type NetlinkMessage,
  NLMSG_DONE,
  NLMSG_ERROR,
  viewOf,
} from '../../../src/core/netlink/netlink.ts';

export const ENOENT = -2;
export const ENODEV = -19;
/** NLM_F_MULTI: more of the same answer follows. */
export const MULTI = 2;

/** What was asked was done (0), or why it was not. */
export function answerError({ sequence }: NetlinkMessage, error: number, flags = 0): Uint8Array {
  return encodeMessage({ type: NLMSG_ERROR, flags, sequence, payload: numberOf(error) });
}

/** All was listed. */
export function endOfDump({ sequence }: NetlinkMessage): Uint8Array {
  return encodeMessage({ type: NLMSG_DONE, flags: MULTI, sequence, payload: numberOf(0) });
}

function numberOf(error: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, error, IS_LITTLE);
  return bytes;
}
