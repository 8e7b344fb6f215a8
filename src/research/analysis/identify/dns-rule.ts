// What a name looked up says about who asked.

/** A domain that gives a device away. */
export interface DnsRule {
  /** Host name or domain, lower case; it and all below it match. */
  suffix: string;
  label: string;
}
