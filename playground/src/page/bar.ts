import { svg } from './dom.js';

/** The height of a lane's picture in its own units; it is stretched to the room available. */
export const cell = 10;

/** A bar in a column of a lane that ends at `bottom`: tall or low, with a tooltip. */
export function bar(
  column: number,
  lane: { bottom: number; height: number },
  isTall: boolean,
  attributes: Record<string, string | number>,
  title: string,
): SVGRectElement {
  const height = isTall ? lane.height - 6 : (lane.height - 6) / 2.4;
  const place = { x: column * cell + 1, y: lane.bottom - height, width: cell - 2.5, height };
  return svg('rect', { ...attributes, ...place }, svg('title', {}, title));
}
