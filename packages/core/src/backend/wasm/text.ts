// Bytes as text: the most frequent bytes take one character, the others two. Shorter than base64, and compresses as
// well as the bytes themselves, since it does not split bytes between characters.

/** The characters that a string literal and a page may hold as they are. */
const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter(
  (c) => !'\'"`\\$<'.includes(c),
);

/** How many characters stand for one byte; each of the others begins a pair. */
export const single = characters.length - 3;

/** All bytes: first the frequent ones, which take one character, then the others in order. */
const inOrder = (frequent: readonly number[]): number[] => [
  ...frequent,
  ...Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !frequent.includes(byte)),
];

/** The text of `bytes`; `frequent` has up to `single` different bytes, the most frequent first. */
export function encodeText(bytes: Uint8Array, frequent: readonly number[]): string {
  const code = new Array<string>(256);
  inOrder(frequent).forEach((byte, i) => {
    const rest = i - single;
    code[byte] =
      rest < 0
        ? characters[i]!
        : characters[single + Math.floor(rest / characters.length)]! + characters[rest % characters.length]!;
  });
  return Array.from(bytes, (byte) => code[byte]).join('');
}

/** The bytes of a text that `encodeText` made with the same frequent bytes (here in hexadecimal). */
export function decodeText(text: string, frequent: string): Uint8Array<ArrayBuffer> {
  const indexOf = new Map(characters.map((c, i) => [c, i]));
  const byteAt = inOrder(frequent.match(/../g)!.map((digits) => Number.parseInt(digits, 16)));
  const bytes = new Uint8Array(text.length);
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    let at = indexOf.get(text[i]!)!;
    if (at >= single) at = single + (at - single) * characters.length + indexOf.get(text[++i]!)!;
    bytes[n++] = byteAt[at]!;
  }
  return bytes.slice(0, n);
}
