// What commands that read traffic say of the files they take.
import { InvalidValue } from '../../shell/cli/failure.ts';
import { type ColumnChoice, columnNames, parseColumns } from '../capture/tables/columns.ts';

export const filesHelp =
  "captures (pcap, pcapng), NetFlow or IPFIX (nfcapd's files, exports in a capture or one behind the other), Zeek's logs (conn, dns, ssl, dhcp), or tables (CSV); packed with gzip, zstd or xz or not; - for the standard input";

export const columnsHelp = `which column of a table is what, such as time=ts,size=len,direction=dir, by title or number; of ${columnNames.join(', ')}`;

/** The value of --columns. */
export function readColumns(text: string): ColumnChoice {
  const columns = parseColumns(text);
  if (columns === null) {
    throw new InvalidValue(
      `must be NAME=TITLE with commas, such as time=ts,size=len,direction=dir; NAME is one of ${columnNames.join(', ')}.`,
    );
  }
  return columns;
}
