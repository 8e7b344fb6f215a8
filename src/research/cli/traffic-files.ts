// What commands that read traffic say of the files they take.
import { columnNames } from '../capture/tables/columns.ts';

export const filesHelp =
  "captures (pcap, pcapng), NetFlow or IPFIX (nfcapd's files, exports in a capture or one behind the other), Zeek's logs (conn, dns, ssl, dhcp), or tables (CSV); packed with gzip, zstd or xz or not; - for the standard input";

export const columnsHelp = `which column of a table is what, such as time=ts,size=len,direction=dir, by title or number; of ${columnNames.join(', ')}`;
