import { UserError } from './load.js';

/** Pixels along a side beyond which renderers refuse. */
const longest = 16_000;

/** A picture as PNG, two pixels for each of its units where that can be drawn; takes sharp, which not everybody needs. */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp').catch(() => {
    throw new UserError('gradgate: .png files are drawn by sharp, which is not installed: npm install sharp');
  });
  const [, width, height] = /<svg[^>]*?width="([\d.]+)(?:pt)?"[^>]*?height="([\d.]+)(?:pt)?"/.exec(svg) ?? [];
  const scale = Math.min(2, longest / Math.max(Number(width), Number(height)));
  // At 72 dots an inch a unit is a pixel; Graphviz's, a point, is 4/3 of one.
  return sharp(Buffer.from(svg), { density: Math.max(1, 72 * scale), limitInputPixels: false })
    .png()
    .toBuffer();
}
