// OpenVPN's management interface, the half that only reads and writes lines (management-notes.txt of OpenVPN 2.6).
/** Addresses a state is told with, where it is with any: '' and null else. */
export interface Ends {
  localAddress: string;
  remoteAddress: string;
  remotePort: number | null;
}

/** What OpenVPN says of its own accord. */
export type ManagementEvent =
  | ({ kind: 'state'; name: string; detail: string } & Ends)
  | { kind: 'bytes'; inBytes: number; outBytes: number }
  | { kind: 'fatal'; text: string }
  /** OpenVPN waits for leave to connect, and suggests how long it should. */
  | { kind: 'hold'; pauseMs: number }
  /** A list is over. */
  | { kind: 'end' }
  | { kind: 'other'; text: string };

/** One line as an event; replies to commands (`SUCCESS: …`) come as `other`. */
export function parseManagementLine(line: string): ManagementEvent {
  if (line === 'END') return { kind: 'end' };
  const match = /^>([A-Z_]+):(.*)$/.exec(line);
  const text = match?.[2] ?? line;
  switch (match?.[1]) {
    case 'STATE': {
      const [, name = '', detail = '', localAddress = '', remoteAddress = '', port = ''] =
        text.split(',');
      const remotePort = port === '' ? null : Number(port);
      return { kind: 'state', name, detail, localAddress, remoteAddress, remotePort };
    }
    case 'BYTECOUNT': {
      const [inBytes = 0, outBytes = 0] = text.split(',').map(Number);
      return { kind: 'bytes', inBytes, outBytes };
    }
    case 'FATAL':
      return { kind: 'fatal', text };
    case 'HOLD':
      return { kind: 'hold', pauseMs: 1000 * Number(/:(\d+)$/.exec(text)?.[1] ?? 0) };
    default:
      return { kind: 'other', text: line };
  }
}
