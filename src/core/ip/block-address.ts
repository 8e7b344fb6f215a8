// Addresses as ip-cidr asks for them. Bundles have these in the place of ip-address, most of which nothing here needs.
import { formatIpv6, ipBytes, ipVersion } from './address.ts';

abstract class BlockAddress {
  abstract readonly v4: boolean;
  /** As given, `192.168.1.50/24`. */
  readonly address: string;
  readonly addressMinusSuffix: string;
  subnet: string;
  subnetMask: number;
  readonly #bits: number;
  readonly #value: bigint;

  /** @throws Error for what is no address of this family */
  constructor(text: string, family: 4 | 6) {
    const [address = '', length, ...rest] = text.split('/');
    this.#bits = family === 4 ? 32 : 128;
    this.address = text;
    this.addressMinusSuffix = address;
    this.subnetMask = Number(length ?? this.#bits);
    this.subnet = `/${this.subnetMask}`;
    const isLength = /^\d+$/.test(`${this.subnetMask}`) && this.subnetMask <= this.#bits;
    if (ipVersion(address) !== family || rest.length > 0 || !isLength)
      throw new Error(`${text}: is no IPv${family} address`);
    this.#value = ipBytes(address).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  bigInteger(): bigint {
    return this.#value;
  }

  startAddress(): this {
    return this.#sibling((this.#value >> this.#hostBits()) << this.#hostBits());
  }

  endAddress(): this {
    return this.#sibling(this.#value | ((1n << this.#hostBits()) - 1n));
  }

  isInSubnet(block: BlockAddress): boolean {
    return (
      block.v4 === this.v4 &&
      this.subnetMask >= block.subnetMask &&
      this.#value >> block.#hostBits() === block.#value >> block.#hostBits()
    );
  }

  correctForm(): string {
    return formatValue(this.#value, this.#bits);
  }

  #hostBits(): bigint {
    return BigInt(this.#bits - this.subnetMask);
  }

  #sibling(value: bigint): this {
    return new (this.constructor as new (text: string) => this)(formatValue(value, this.#bits));
  }
}

export class Address4 extends BlockAddress {
  override readonly v4 = true;

  constructor(text: string) {
    super(text, 4);
  }

  static fromBigInteger(value: bigint): Address4 {
    return new Address4(formatValue(value, 32));
  }
}

export class Address6 extends BlockAddress {
  override readonly v4 = false;

  constructor(text: string) {
    super(text, 6);
  }

  static fromBigInteger(value: bigint): Address6 {
    return new Address6(formatValue(value, 128));
  }
}

function formatValue(value: bigint, bits: number): string {
  const bytes = Uint8Array.from({ length: bits / 8 }, (_, i) =>
    Number((value >> BigInt(bits - 8 - 8 * i)) & 255n),
  );
  return bits === 32 ? bytes.join('.') : formatIpv6(bytes);
}

/** ip-cidr takes them from the default export. */
export default { Address4, Address6 };
