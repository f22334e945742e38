// Programs are written for elements that take 32 bits. Those of float16, where the device has f16, take 16: such a
// program gets another text, in which what it reads becomes f32 at once, and what it writes becomes f16 at last. So all
// is computed in float32, sums and products too, and no kernel has to know how its operands lie in memory.

/** An assignment to an element, from behind the element on: its operator, and what is assigned. */
const assignment = /^\s*([-+*/]?)=(?!=)\s*([^;]*);/;

/** WGSL whose elements of the buffers with these names are f16. */
export function withHalves(code: string, names: readonly string[]): string {
  const element = new RegExp(`\\b(${names.join('|')})\\[`);
  const rewritten = (text: string): string => {
    const match = element.exec(text);
    if (match === null) return text;
    const start = match.index + match[0].length;
    const end = closing(text, start);
    const place = `${match[0]}${rewritten(text.slice(start, end))}]`;
    const before = text.slice(0, match.index);
    const after = text.slice(end + 1);
    const assigned = assignment.exec(after);
    if (assigned === null) return `${before}f32(${place})${rewritten(after)}`;
    const [whole, operator, value] = assigned;
    const given = rewritten(value!);
    const result = operator === '' ? given : `f32(${place}) ${operator} (${given})`;
    return `${before}${place} = f16(${result});${rewritten(after.slice(whole.length))}`;
  };
  return rewritten(code);
}

/** Where the bracket is closed that is open at `start`. */
function closing(text: string, start: number): number {
  let open = 1;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '[') open++;
    else if (text[at] === ']' && --open === 0) return at;
  }
  return text.length;
}
