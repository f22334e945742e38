import { cat, randn, type Tensor } from '@gradgate/core';
import { Linear, Module } from '@gradgate/nn';
import { graphDot, graphSvg, recordModules } from 'gradgate';
import { expect, it } from 'vitest';

/** A chain of operations with no module. */
const chain = (length: number): Tensor => {
  let x = randn([2], { requiresGrad: true });
  for (let i = 0; i < length; i++) x = x.sin();
  return x;
};
const sizeOf = (svg: string) => /<svg width="([\d.]+)pt" height="([\d.]+)pt"/.exec(svg)!.slice(1).map(Number);
/** The titles of the boxes in each column. */
const columnsOf = (svg: string) =>
  svg
    .split('<svg x=')
    .slice(1)
    .map((column) => [...column.matchAll(/class="node">\s*<title>([^<]*)/g)].map(([, id]) => id!));

it('sets what is higher than a screen in columns, with every box in one of them', async () => {
  const t = chain(30);
  const svg = await graphSvg(t);
  const [width, height] = sizeOf(svg) as [number, number];
  const columns = columnsOf(svg);
  expect(columns).toHaveLength(3);
  expect(height).toBeLessThan(700);
  expect(width).toBeLessThan(400);
  const all = [...graphDot(t).matchAll(/(n\d+) \[label/g)].map(([, id]) => id!);
  expect(columns.flat().sort()).toEqual(all.sort());
  // An arrow between two columns is in both.
  expect(svg.match(/class="edge"/g)).toHaveLength(31 + 2);
});

it('leaves what a screen can show, and what goes from left to right, in one piece', async () => {
  expect(columnsOf(await graphSvg(chain(5)))).toEqual([]);
  expect(columnsOf(await graphSvg(chain(30), { direction: 'LR' }))).toEqual([]);
});

it('has as many columns as fit beside each other, and every box also of a longer picture', async () => {
  const svg = await graphSvg(chain(400));
  expect(sizeOf(svg)[0]).toBeLessThanOrEqual(1400);
  expect(columnsOf(svg).length).toBeGreaterThan(5);
  expect(columnsOf(svg).flat()).toHaveLength(402);
});

it('opens as many levels of modules as fit on a screen, and a depth that is given though it does not fit', async () => {
  class Heads extends Module {
    heads = Array.from({ length: 9 }, (_, i) => new Linear(4, i + 1));
    override forward(x: Tensor): Tensor {
      return cat(this.heads.map((head) => head(x)));
    }
  }
  const net = new Heads();
  const recorded = recordModules({ net });
  const y = net(randn([4]));
  const modules = recorded.stop();
  const svg = await graphSvg(y, { modules });
  const [width, height] = sizeOf(svg) as [number, number];
  expect(width <= 1400 && height <= 700).toBe(true);
  const shown = (text: string) => text.match(/class="node"/g)!.length;
  expect(shown(svg)).toBe(9 + 2);
  expect(shown(await graphSvg(y, { modules, depth: 2 }))).toBe(9 * 3 + 2);
});
