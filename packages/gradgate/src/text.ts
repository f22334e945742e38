// Names come from a program, and may contain anything: characters that would break a picture or control a terminal are
// escaped.

// Control characters except the line feed, Unicode's line separators, and characters that change the direction of text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern looks for control characters
const unprintable = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;

/** The text with unprintable characters as `\u{...}`. */
export const printable = (text: string): string =>
  text.replace(unprintable, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);

/** Like `printable`, with line feeds as spaces. */
export const oneLine = (text: string): string => printable(text.replaceAll('\n', ' '));
