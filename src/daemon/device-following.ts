// Follows chosen devices through new leases and new hardware addresses: a pure state machine over what the router sees.

/** By what else a configured device is known now. */
export interface Followed {
  /** Section as `uci show` names it. */
  section: string;
  /** Hardware addresses beyond the configured one, lower case. */
  macs: string[];
  /** Single addresses beyond the configured ones, without a prefix length. */
  addresses: string[];
}
