// As much of DNS (RFC 1035) as emulated devices and their cloud need: questions and answers for A and AAAA.

export const TYPE_A = 1;
export const TYPE_AAAA = 28;

export interface DnsQuestion {
  id: number;
  /** Lower case, without the final dot. */
  name: string;
  type: number;
}

/** A DNS message cut off, or with a name that cannot be one. */
export class DnsError extends Error {
  override name = 'DnsError';
}

/** @returns a query with recursion desired */
export function encodeQuestion({ id, name, type }: DnsQuestion): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, encodeName(name), uint16(type), uint16(1)]);
}

/**
 * The first question of a query or answer.
 * @throws {DnsError}
 */
export function decodeQuestion(message: Uint8Array): DnsQuestion {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  if (bytes.length < 12)
    throw new DnsError(`a DNS message has at least 12 bytes, got ${bytes.length}`);
  if (bytes.readUInt16BE(4) < 1) throw new DnsError('the DNS message asks nothing');
  const { name, end } = decodeName(bytes, 12);
  if (end + 4 > bytes.length) throw new DnsError('the DNS question is cut off');
  return { id: bytes.readUInt16BE(0), name, type: bytes.readUInt16BE(end) };
}

/**
 * An authoritative answer to `question`: NXDOMAIN where `addresses` is null, no data where it is empty.
 * @param addresses IPv4 in four bytes for A, IPv6 in sixteen for AAAA
 */
export function encodeAnswer(
  question: DnsQuestion,
  addresses: readonly Uint8Array[] | null,
  ttlS = 60,
): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(question.id, 0);
  header.writeUInt16BE(addresses === null ? 0x8583 : 0x8580, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses?.length ?? 0, 6);
  const parts = [header, encodeName(question.name), uint16(question.type), uint16(1)];
  for (const address of addresses ?? []) {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // the name asked for, at offset 12
    record.writeUInt16BE(question.type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(ttlS, 6);
    record.writeUInt16BE(address.length, 10);
    parts.push(record, Buffer.from(address));
  }
  return Buffer.concat(parts);
}

/**
 * The addresses an answer holds, IPv4 only.
 * @returns null where the name does not exist or the server failed
 * @throws {DnsError}
 */
export function decodeAnswer(bytes: Buffer): { id: number; addresses: string[] | null } {
  const { id } = decodeQuestion(bytes);
  if ((bytes.readUInt16BE(2) & 15) !== 0) return { id, addresses: null };
  let offset = decodeName(bytes, 12).end + 4;
  const addresses: string[] = [];
  for (let left = bytes.readUInt16BE(6); left > 0; left--) {
    offset = decodeName(bytes, offset).end;
    if (offset + 10 > bytes.length) throw new DnsError('the DNS answer is cut off');
    const type = bytes.readUInt16BE(offset);
    const length = bytes.readUInt16BE(offset + 8);
    const data = bytes.subarray(offset + 10, offset + 10 + length);
    if (data.length < length) throw new DnsError('the DNS answer is cut off');
    if (type === TYPE_A && length === 4) addresses.push(data.join('.'));
    offset += 10 + length;
  }
  return { id, addresses };
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.map((label) => {
    if (label.length > 63) throw new DnsError(`"${label}": a DNS label has at most 63 bytes`);
    return Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]);
  });
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function decodeName(bytes: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let offset = start;
  let end = -1;
  for (let jumps = 0; ; ) {
    const length = bytes[offset];
    if (length === undefined) throw new DnsError('the DNS name is cut off');
    if (length === 0)
      return { name: labels.join('.').toLowerCase(), end: end < 0 ? offset + 1 : end };
    if (length >= 0xc0) {
      if (offset + 1 >= bytes.length) throw new DnsError('the DNS name is cut off');
      if (++jumps > 16) throw new DnsError('the DNS name points at itself');
      if (end < 0) end = offset + 2;
      offset = bytes.readUInt16BE(offset) & 0x3fff;
      continue;
    }
    if (offset + 1 + length > bytes.length) throw new DnsError('the DNS name is cut off');
    labels.push(bytes.toString('latin1', offset + 1, offset + 1 + length));
    if (labels.length > 127) throw new DnsError('the DNS name is too long');
    offset += 1 + length;
  }
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
