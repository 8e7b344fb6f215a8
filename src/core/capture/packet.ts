// A captured packet, whatever file it came from.

/** A packet as the capture holds it. */
export interface CapturedPacket {
  /** Place in the capture, from 0. */
  index: number;
  /** Seconds since 1970; a float64 tells 0.24 µs apart in our years. */
  timeS: number;
  /** What `data` begins with: a LINKTYPE_ number of tcpdump.org. */
  linkType: number;
  /** The bytes captured; a view into the reader's buffer, so copy what you keep for long. */
  data: Uint8Array;
  /** Length of the packet on the wire, at least `data.length`. */
  originalBytes: number;
}
