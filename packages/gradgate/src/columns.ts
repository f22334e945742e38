/** What can be seen on a screen at once, in points: 1867 x 933 pixels, a browser's window at 1920 x 1080. */
const screen = { width: 1400, height: 700 };
const gap = 24;

/** A part of a picture, such as a box, with the range of y it covers. */
interface Part {
  readonly text: string;
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

const shape = /<(?:polygon|polyline)[^>]* points="([^"]*)"|<path[^>]* d="([^"]*)"|<text[^>]* y="([^"]*)"/g;

/** The range of y that the shapes in `text` cover. */
function rangeOf(text: string): { from: number; to: number } {
  const found: number[] = [];
  for (const [, points, path, y] of text.matchAll(shape)) {
    // Text stands on its y.
    if (y !== undefined) found.push(Number(y) - 10, Number(y) + 4);
    for (const [, pointY] of (points ?? path ?? '').matchAll(/-?[\d.]+,(-?[\d.]+)/g)) found.push(Number(pointY));
  }
  return { from: Math.min(...found), to: Math.max(...found) };
}

/** Where a column may end: outside of boxes and of the titles of frames. */
function isFree(y: number, parts: readonly Part[]): boolean {
  return parts.every(({ kind, from, to, text }) => {
    if (kind === 'edge') return true;
    const range = kind === 'cluster' ? rangeOf(text.slice(text.indexOf('<text'))) : { from, to };
    return y < range.from || y > range.to;
  });
}

const clearance = [8, 5, 2];

/** The free place nearest to `best`, as far from boxes as there is room. */
function freeNear(best: number, reach: number, parts: readonly Part[]): number | null {
  for (const room of clearance)
    for (let d = 0; d < reach; d++)
      for (const y of [best - d, best + d]) if ([y - room, y, y + room].every((at) => isFree(at, parts))) return y;
  return null;
}

/** Where to cut for `count` columns of about the same height; null where boxes are in the way. */
function cutsFor(count: number, from: number, height: number, parts: readonly Part[]): number[] | null {
  const cuts: number[] = [];
  for (let i = 1; i < count; i++) {
    const cut = freeNear(from + (height * i) / count, height / count / 3, parts);
    if (cut === null) return null;
    cuts.push(cut);
  }
  return cuts;
}

/** Whether a picture of Graphviz's can be seen on a screen as a whole. */
export function fits(svg: string): boolean {
  const [, width, height] = /<svg width="([\d.]+)pt" height="([\d.]+)pt"/.exec(svg)!;
  return Number(width) <= screen.width && Number(height) <= screen.height;
}

/**
 * Sets a picture of Graphviz's that is too high for a screen in columns, read like those of a newspaper: arrows and
 * frames continue at the top of the next. As many as are needed, or as a screen is wide.
 */
export function inColumns(svg: string): string {
  const whole =
    /^([\s\S]*?)<svg width="([\d.]+)pt" height="([\d.]+)pt"[^>]*>\s*<g id="graph0"[^>]* transform="[^"]*translate\(([-\d.]+) ([-\d.]+)\)">\s*(<title>[^<]*<\/title>)\s*<polygon[^>]*>([\s\S]*)<\/g>\s*<\/svg>\s*$/.exec(
      svg,
    );
  if (whole === null) return svg;
  const [, head, w, h, dx, dy, title, body] = whole as unknown as string[];
  const [width, height] = [Number(w), Number(h)];
  const count = Math.min(Math.ceil(height / screen.height), Math.floor((screen.width + gap) / (width + gap)));
  if (count < 2) return svg;
  const parts: Part[] = [...body!.matchAll(/<g id="[^"]*" class="(node|edge|cluster)">[\s\S]*?<\/g>/g)].map(
    ([text, kind]) => ({ text, kind: kind!, ...rangeOf(text) }),
  );
  const top = -Number(dy);
  const inner = cutsFor(count, top, height, parts);
  if (inner === null) return svg;
  const cuts = [top, ...inner, top + height];
  const highest = Math.max(...cuts.slice(1).map((y, i) => y - cuts[i]!));
  const size = { width: count * width + (count - 1) * gap, height: highest };
  const columns = cuts.slice(1).map((to, i) => {
    const from = cuts[i]!;
    const x = i * (width + gap);
    const own = parts.filter((part) => part.from <= to && part.to >= from).map((part) => part.text);
    const line = `<path stroke="#dddddd" d="M${x - gap / 2},8V${highest - 8}"/>\n`;
    return (
      `${i > 0 ? line : ''}<svg x="${x}" y="0" width="${width}" height="${to - from}" viewBox="${-Number(dx)} ${from} ${width} ${to - from}">` +
      `\n${own.join('\n')}\n</svg>`
    );
  });
  return (
    `${head}<svg width="${size.width}pt" height="${size.height}pt" viewBox="0 0 ${size.width} ${size.height}" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">\n` +
    `<g class="graph">\n${title}\n<rect fill="white" width="100%" height="100%"/>\n${columns.join('\n')}\n</g>\n</svg>\n`
  );
}
