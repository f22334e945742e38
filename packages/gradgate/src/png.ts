import { UserError } from './load.js';

/** The longest side in pixels that renderers accept. */
const longest = 16_000;

/**
 * A picture as PNG, at two pixels for each of its units or fewer if it is too large. Needs sharp, an optional package.
 */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp').catch(() => {
    throw new UserError('gradgate: .png files are drawn by sharp, which is not installed: npm install sharp');
  });
  const [, width, height] = /<svg[^>]*?width="([\d.]+)(?:pt)?"[^>]*?height="([\d.]+)(?:pt)?"/.exec(svg) ?? [];
  const scale = Math.min(2, longest / Math.max(Number(width), Number(height)));
  // At a density of 72 a unit is one pixel; a point, Graphviz's unit, is 4/3 of a pixel.
  return sharp(Buffer.from(svg), { density: Math.max(1, 72 * scale), limitInputPixels: false })
    .png()
    .toBuffer();
}
