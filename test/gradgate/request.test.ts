import { expect, it } from 'vitest';
import { inputOf } from '../../packages/gradgate/src/inputs.js';
import { parse } from '../../packages/gradgate/src/request.js';

it('reads a command, its file and its options', () => {
  expect(parse(['graph', 'a/net.ts', '-i', '1,3,8,8', '--input', '2:int64', '--depth', '2'])).toEqual({
    command: 'graph',
    file: 'a/net.ts',
    out: 'net.graph.svg',
    inputs: ['1,3,8,8', '2:int64'],
    depth: 2,
    fold: true,
  });
  expect(parse(['timeline', 'run.ts', '-o', 'a.png'])).toMatchObject({ out: 'a.png', inputs: [], depth: undefined });
  expect(parse(['graph', 'a.ts', '--unfold'])).toMatchObject({ fold: false });
  expect([parse(['--help']), parse(['--version']), parse(['-v'])]).toEqual(['help', 'version', 'version']);
  expect(parse(['graph', 'net.ts', '-o', 'a.SVG'])).toMatchObject({ out: 'a.SVG' });
});

it.each([
  [[], /^usage: gradgate graph/],
  [['graph'], /^usage/],
  [['draw', 'a.ts'], /^usage/],
  [['graph', 'a.ts', 'b.ts'], /^usage/],
  [['graph', 'a.ts', '--nonsense'], /^Unknown option '--nonsense'/],
  [['graph', 'a.ts', '-o', 'a.jpg'], /^gradgate graph: pictures must be \.svg or \.png or \.dot files, got a\.jpg/],
  [['timeline', 'a.ts', '-o', 'a.dot'], /^gradgate timeline: pictures must be \.svg or \.png files, got a\.dot/],
  [['graph', 'a.ts', '-o', 'no/folder/a.svg'], /^gradgate graph: there is no folder no\/folder/],
  [['graph', 'a.ts', '--depth', 'x'], /--depth must be a whole number from 0 up, got x/],
  [['policies', 'a.ts', '--depth', '1'], /^gradgate policies: there is no option --depth here\n\nusage/],
  [['summary', 'a.ts', '--out', 'a.svg'], /^gradgate summary: there is no option --out here/],
])('refuses %j', (args, message) => {
  expect(() => parse(args as string[])).toThrow(message);
});

it('inputs are normal random numbers, or zeros of other dtypes', () => {
  const x = inputOf('2,3');
  expect([x.shape, x.dtype]).toEqual([[2, 3], 'float32']);
  expect(new Set(x.toTypedArray()).size).toBeGreaterThan(1);
  const indices = inputOf('4:int64');
  expect([indices.dtype, indices.toArray()]).toEqual(['int64', [0, 0, 0, 0]]);
  expect(inputOf('2:float64').dtype).toBe('float64');
  for (const wrong of ['2,x', '', '2,', '-1', '2:3:4', '2 '])
    expect(() => inputOf(wrong), wrong).toThrow(/--input must be a shape, and perhaps a dtype/);
  expect(() => inputOf('2:int7')).toThrow(/--input 2:int7: .*unknown dtype 'int7'/);
});
