import { einsum, noGrad, ones } from '@gradgate/core';
import { curvesSvg, graphDot, graphSvg, policiesTable } from 'gradgate';
import { describe, expect, it } from 'vitest';

const hostile = 'a\u0000b\u001b[31m\u202e"\\\n<script>alert(1)</script>';
const leaf = ones([2], { requiresGrad: true });

describe('text of a program in pictures', () => {
  it('cannot break out of a graph, nor bring in what no picture holds', async () => {
    const names = { [hostile]: leaf };
    const dot = graphDot(leaf.mul(2), { names });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(dot).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(dot).toContain('a\\\\u{0}b\\\\u{1b}[31m\\\\u{202e}\\"\\\\\\n<script>');
    const svg = await graphSvg(leaf.mul(2), { names });
    expect(svg).toContain('&lt;script&gt;');
    expect(svg).not.toContain('<script');
  });

  it('is no option of the graph: only directions are', () => {
    const direction = 'LR; x [URL="javascript:alert(1)"]' as never;
    expect(() => graphDot(leaf.mul(2), { direction })).toThrow(/direction must be 'LR' or 'TB', got 'LR; x/);
    expect(() => graphDot(leaf.mul(2), { rankdir: 'LR' } as never)).toThrow(/no option 'rankdir'/);
    expect(() => graphDot(3 as never)).toThrow(/expected a Tensor, got 3/);
    expect(graphDot(leaf.mul(2), { direction: 'LR' })).toContain('rankdir=LR;');
  });

  it('cannot steer a terminal, nor break a table', () => {
    class Net {
      @noGrad ['m\u001b[2J\n\u0007']() {}
    }
    const table = policiesTable({ Net });
    expect(table.split('\n')).toHaveLength(2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(table).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('is in charts without control characters', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(curvesSvg({ [hostile]: [1, 2] }, { title: hostile })).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  });
});

it('messages are bounded, whatever was passed', () => {
  try {
    einsum('i'.repeat(100_000), ones([2]));
    expect.unreachable();
  } catch (error) {
    expect((error as Error).message.length).toBeLessThan(2100);
  }
});
