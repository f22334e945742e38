import { ones } from '@gradgate/core';
import { check, checkOptions, is, nearest, show } from '@gradgate/core/internal';
import { describe, expect, it } from 'vitest';

interface Options {
  lr?: number;
  batchSize?: number;
  weightDecay?: number;
  nesterov?: boolean;
}
const known = { lr: is.nonNegative, batchSize: is.count, weightDecay: is.number, nesterov: is.boolean };
const options = (given: unknown) => checkOptions<Options>('f', given as Options, known);

describe('options', () => {
  it('that are known, undefined or not given are taken', () => {
    const given = { lr: 0.1, batchSize: undefined };
    expect(options(given)).toBe(given);
    expect(options(undefined)).toEqual({});
  });

  it('are an object’s own: what a library adds to all objects is none', () => {
    const all = Object.prototype as { extra?: number };
    all.extra = 1;
    try {
      expect(options({ lr: 0.1 })).toEqual({ lr: 0.1 });
      expect(() => options({ extra: 1 })).toThrow(/there is no option 'extra'/);
    } finally {
      delete all.extra;
    }
  });

  it.each([
    ['learningRate', 'lr'],
    ['batch_size', 'batchSize'],
    ['batchsize', 'batchSize'],
    ['wd', 'weightDecay'],
    ['weightdecy', 'weightDecay'],
    ['nestrov', 'nesterov'],
  ])('that do not exist are refused with the nearest name: %s', (wrong, right) => {
    expect(nearest(wrong, Object.keys(known))).toBe(right);
    expect(() => options({ [wrong]: 1 })).toThrow(
      `f: there is no option '${wrong}'; did you mean '${right}'? There are lr, batchSize, weightDecay, nesterov`,
    );
  });

  it('that resemble nothing are refused with the list of what exists', () => {
    expect(() => options({ color: 'red' })).toThrow(
      "f: there is no option 'color'; there are lr, batchSize, weightDecay, nesterov",
    );
  });

  it.each([[1], [null], ['lr'], [[1]], [() => 1], [ones([2])], [Symbol('s')]])(
    'that are no object are refused: %o',
    (wrong) => {
      expect(() => options(wrong)).toThrow(/^f: options must be an object, such as \{ lr: … \}, got /);
    },
  );

  it('of another kind are refused by name', () => {
    expect(() => options({ lr: -1 })).toThrow(new RangeError('f: lr must be a number from 0 up, got -1'));
    expect(() => options({ lr: '1' })).toThrow(new TypeError("f: lr must be a number from 0 up, got '1'"));
    expect(() => options({ nesterov: 1 })).toThrow(new TypeError('f: nesterov must be true or false, got 1'));
  });
});

it('values are shown in few words, whatever they are', () => {
  const shown = [
    null,
    undefined,
    1n,
    Symbol('s'),
    'a'.repeat(1e6),
    () => 1,
    {},
    Object.create(null),
    (function* () {})(),
    new Map(),
  ].map(show);
  expect(shown).toEqual([
    ...[
      'null',
      'undefined',
      '1',
      'a symbol',
      `'${'a'.repeat(40)}…'`,
      'a function',
      'an object',
      'an object',
      'an object',
    ],
    'an instance of Map',
  ]);
  expect(show(ones([2, 3]))).toBe('a float32 tensor of shape [2, 3]');
  expect(show([1, [2], 'x'])).toBe("[1, […], 'x']");
  expect(show(new Array(1e6).fill(0)).length).toBeLessThan(80);
  expect(show('a\0b\x1b[2J\x9b')).toBe("'a\ufffdb\ufffd[2J\ufffd'");
});

it('arguments of another kind are refused by name', () => {
  expect(() => check('Linear', 'inFeatures', 1.5, is.size)).toThrow(
    new RangeError('Linear: inFeatures must be a whole number from 0 up, got 1.5'),
  );
  expect(() => check('f', 'betas', [0.9], is.tuple(is.probability, is.probability))).toThrow(TypeError);
  expect(() => check('f', 'mode', 'sum', is.oneOf('mean', 'none'))).toThrow(
    "f: mode must be 'mean' or 'none', got 'sum'",
  );
  expect(() => check('f', 'x', null, is.nullable(is.tensor))).not.toThrow();
});
