/** A method's source as in its file, without the calls that report to the page. */
export interface Source {
  readonly lines: readonly string[];
  /** The line that is highlighted while the method runs. */
  readonly live: number;
}

/**
 * The method whose body contains the line `mark`, with its decorator, unindented; `file` is the text of a module. The live line
 * is the one after the mark.
 */
export function sourceOf(file: string, mark: string): Source {
  const all = file.split('\n');
  const at = all.findIndex((line) => line.trim() === mark);
  // The lines that members of a class start and end with.
  const isMember = (line: string) => /^ {2}\S/.test(line);
  let first = all.findLastIndex((line, i) => i < at && isMember(line));
  if (all[first - 1]!.startsWith('  @')) first--;
  const last = all.findIndex((line, i) => i > at && isMember(line));
  const isShown = (line: string) => !/^\s*note\(/.test(line);
  const before = all.slice(first, at + 1).filter(isShown);
  const lines = [...before, ...all.slice(at + 1, last + 1).filter(isShown)].map((line) => line.slice(2));
  return { lines, live: before.length };
}

interface Part {
  readonly text: string;
  readonly kind: '' | 'gate' | 'word' | 'comment';
}

/** The parts of a line that are coloured: decorators, keywords, and the rest. */
export function partsOf(line: string): Part[] {
  const pattern =
    /(?<comment>\/\/.*)|(?<gate>@\w+|\b(?:noGrad|enableGrad|evaluating|evalMode)\b)|(?<word>\b(?:async|await|yield|const|return|this|new|null|override|function|class|extends|void)\b)/g;
  const parts: Part[] = [];
  let end = 0;
  for (const match of line.matchAll(pattern)) {
    parts.push({ text: line.slice(end, match.index), kind: '' });
    const kind = match.groups!['gate'] ? 'gate' : match.groups!['word'] ? 'word' : 'comment';
    parts.push({ text: match[0], kind });
    end = match.index + match[0].length;
  }
  parts.push({ text: line.slice(end), kind: '' });
  return parts.filter(({ text }) => text !== '');
}
