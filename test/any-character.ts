// Any character of Unicode, halves of pairs left out, as the unit of `fc.string`.
import fc from 'fast-check';

/** What fast-check's own unit 'binary' gives, without its map of all of them, which costs a second of each test that asks for it. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));
