// Names come from a program, and may hold anything: what would break a picture or steer a terminal is shown as its code.

// Control characters but the line feed, what separates lines in Unicode, and what turns the direction of writing.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unprintable = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;

/** The text with what cannot be shown as `\u{...}`. */
export const printable = (text: string): string =>
  text.replace(unprintable, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);

/** The same on one line. */
export const oneLine = (text: string): string => printable(text.replaceAll('\n', ' '));
