// Bytes as text: the most frequent bytes take one character, the others two. Shorter than base64, and compresses as
// well as the bytes themselves, since it does not split bytes between characters. Compressed before, by repetitions and
// an arithmetic code, a bundle would be 2.3 kB smaller, but the first kernel would take 73 ms of processor time rather
// than 20.

/** The characters that a string literal and a page may hold as they are. */
const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
  .filter((c) => !'\'"`\\$<'.includes(c))
  .join('');

/** How many characters stand for one byte; each of the others begins a pair. */
export const single = characters.length - 3;

/** All bytes: first the frequent ones, which take one character. `frequent` has a bit for each byte, in hexadecimal. */
function inOrder(frequent: string): number[] {
  const bit = (byte: number) => (Number(`0x${frequent[byte >> 2]}`) >> (byte & 3)) & 1;
  return Array.from({ length: 256 }, (_, byte) => byte).sort((a, b) => bit(b) - bit(a));
}

/** The text of `bytes`; up to `single` of the 256 are `frequent`. */
export function encodeText(bytes: Uint8Array, frequent: string): string {
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

/** The bytes of a text that `encodeText` made with the same frequent bytes. */
export function decodeText(text: string, frequent: string): Uint8Array<ArrayBuffer> {
  const byteAt = inOrder(frequent);
  const bytes = new Uint8Array(text.length);
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    let at = characters.indexOf(text[i]!);
    if (at >= single) at = single + (at - single) * characters.length + characters.indexOf(text[++i]!);
    bytes[n++] = byteAt[at]!;
  }
  return bytes.slice(0, n);
}
