// Bytes as text: the most frequent bytes are one character, the others two. Unlike base64, which splits bytes between
// characters, it compresses as well as the bytes themselves, and is shorter.

/** What a string literal and a page may hold as it is. */
const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter(
  (c) => !'\'"`\\$<'.includes(c),
);

/** How many characters stand for a byte on their own; each of the rest begins a pair. */
const single = characters.length - 3;

/** The text of `bytes`; `order` has all bytes, the most frequent first. */
export function encodeText(bytes: Uint8Array, order: readonly number[]): string {
  const code = new Array<string>(256);
  order.forEach((byte, i) => {
    const rest = i - single;
    code[byte] =
      rest < 0
        ? characters[i]!
        : characters[single + Math.floor(rest / characters.length)]! + characters[rest % characters.length]!;
  });
  return Array.from(bytes, (byte) => code[byte]).join('');
}

/** The bytes of a text that `encodeText` made with the same order, here as hexadecimal digits. */
export function decodeText(text: string, order: string): Uint8Array<ArrayBuffer> {
  const place = new Map(characters.map((c, i) => [c, i]));
  const byteAt = Uint8Array.from({ length: 256 }, (_, i) => Number.parseInt(order.slice(i * 2, i * 2 + 2), 16));
  const bytes = new Uint8Array(text.length);
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    let at = place.get(text[i]!)!;
    if (at >= single) at = single + (at - single) * characters.length + place.get(text[++i]!)!;
    bytes[n++] = byteAt[at]!;
  }
  return bytes.slice(0, n);
}
