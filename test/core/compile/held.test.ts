import { fromTypedArray, noGrad, ones, Tensor, tensor } from '@gradgate/core';
import { type Compiled, compile } from '@gradgate/core/compile';
import { describe, expect, it } from 'vitest';

type Call = (i: number) => unknown;

const shown = (value: unknown): unknown =>
  Tensor.is(value) ? value.toArray() : Array.isArray(value) ? value.map(shown) : value;

/** What four calls give, of a program as it is and with `compile`. */
function both(program: (compiled: typeof compile) => Call) {
  const results = (make: typeof compile) => {
    const call = program(make);
    return [0, 1, 2, 3].map((i) => shown(call(i)));
  };
  return [results(compile), results(((fn: unknown) => fn) as typeof compile)];
}

/** A float32 tensor of ones times `i`, large enough to be copied into kernel memory. */
const filled = (i: number): Tensor => ones([3000]).mul(i);
const first = (t: Tensor): number => t.view([-1]).narrow(0, 0, 1).sum().item();

describe('a replay is for what objects hold', () => {
  class Config {
    rate = 1;
  }
  class Batch {
    constructor(public x: Tensor) {}
  }
  const programs: Record<string, (c: typeof compile) => Call> = {
    'plain objects and arrays in fields of this, however deep': (c) => {
      const object = {
        options: { rate: 1, list: [[1]] },
        scale: c(function (this: typeof object, x: Tensor) {
          return x.mul(this.options.rate).add(this.options.list[0]![0]!);
        }),
      };
      return (i) => {
        object.options.rate = i;
        object.options.list[0]![0] = 2 * i;
        return object.scale(ones([2]));
      };
    },
    'names that a plain object gets': (c) => {
      const object = {
        options: {} as { rate?: number },
        scale: c(function (this: { options: { rate?: number } }, x: Tensor) {
          return x.mul(this.options.rate ?? 7);
        }),
      };
      return (i) => {
        if (i === 2) object.options.rate = 3;
        return object.scale(ones([2]));
      };
    },
    'maps, sets and dates': (c) => {
      const object = {
        rates: new Map([['a', 1]]),
        on: new Set<string>(),
        since: new Date(0),
        scale: c(function (this: typeof object, x: Tensor) {
          return x.mul(this.rates.get('a')!).add(this.on.size).add(this.since.getTime());
        }),
      };
      return (i) => {
        object.rates.set('a', i);
        if (i === 2) object.on.add('x');
        if (i === 3) object.since.setTime(5);
        return object.scale(ones([2]));
      };
    },
    'maps and dates that are arguments': (c) => {
      const rates = new Map([['a', 1]]);
      const since = new Date(0);
      const scale = c((x: Tensor, m: typeof rates, d: Date) => x.mul(m.get('a')!).add(d.getTime()));
      return (i) => {
        rates.set('a', i);
        since.setTime(i * 3);
        return scale(ones([2]), rates, since);
      };
    },
    'instances of classes with tensors that are arguments': (c) => {
      const batch = new Batch(ones([2]));
      const double = c((b: Batch) => b.x.mul(2));
      return (i) => {
        batch.x = ones([2]).mul(i);
        return double(batch);
      };
    },
    'other instances of classes, by identity': (c) => {
      const configs = [new Config(), new Config()];
      configs[1]!.rate = 5;
      const scale = c((x: Tensor, { rate }: Config) => x.mul(rate));
      return (i) => scale(ones([2]), configs[i % 2]!);
    },
    'symbols, whatever they are called, and numbers that are bigints or not': (c) => {
      const [a, b] = [Symbol('a'), Symbol('a')];
      const scale = c((x: Tensor, which: unknown) => x.mul(which === a ? 2 : typeof which === 'bigint' ? 3 : 5));
      return (i) => scale(ones([2]), [a, b, 1, 1n][i]);
    },
    'names of any text': (c) => {
      const scale = c((x: Tensor, o: Record<string, number>) => x.mul('a 1 b' in o ? 2 : 3));
      return (i) => scale(ones([2]), i % 2 === 0 ? { a: 1, b: 2 } : { 'a 1 b': 2 });
    },
    'arrays in arrays': (c) => {
      const nested = [[[[[[[[[[1]]]]]]]]]];
      const scale = c((x: Tensor, n: typeof nested) => x.mul(n[0]![0]![0]![0]![0]![0]![0]![0]![0]![0]!));
      return (i) => {
        nested[0]![0]![0]![0]![0]![0]![0]![0]![0]![0] = i;
        return scale(ones([2]), nested);
      };
    },
    'arguments that are typed arrays': (c) => {
      const numbers = new Float32Array(1);
      const scale = c((x: Tensor, n: Float32Array) => x.mul(n[0]!));
      return (i) => {
        numbers[0] = i;
        return scale(ones([2]), numbers);
      };
    },
    'arguments that hold themselves': (c) => {
      const self: unknown[] = [];
      self.push(self, self);
      const scale = c((x: Tensor, _: unknown[]) => x.mul(2));
      return (i) => scale(ones([2]).mul(i), self);
    },
  };
  it.each(Object.keys(programs))('%s', (name) => {
    const [compiled, plain] = both(programs[name]!);
    expect(compiled).toEqual(plain);
  });
});

describe('a call that changes what objects hold runs as it is', () => {
  const programs: Record<string, [why: RegExp, (c: typeof compile) => Call]> = {
    'a field of a plain object that is an argument': [
      /changes what an object/,
      (c) => {
        const step = c((state: { h: Tensor }) => {
          state.h = state.h.mul(2);
          return state.h.add(1);
        });
        const state = { h: ones([2]) };
        return () => [step(state), state.h];
      },
    ],
    'an array that is an argument': [
      /changes what an array/,
      (c) => {
        const collect = c((x: Tensor, into: Tensor[]) => {
          into.push(x.mul(2));
          return x.add(1);
        });
        const all: Tensor[] = [];
        return (i) => {
          collect(ones([2]).mul(i), all);
          return all;
        };
      },
    ],
    'an array in a field': [
      /changes what an array/,
      (c) => {
        const object = {
          losses: [] as Tensor[],
          step: c(function (this: { losses: Tensor[] }, x: Tensor) {
            this.losses.push(x.sum());
            return x.mul(2);
          }),
        };
        return (i) => [object.step(ones([2]).mul(i)), object.losses];
      },
    ],
    'a map in a field': [
      /changes what a Map/,
      (c) => {
        const object = {
          state: new Map<string, Tensor>(),
          step: c(function (this: { state: Map<string, Tensor> }, x: Tensor) {
            const h = (this.state.get('h') ?? x).add(x);
            this.state.set('h', h);
            return h;
          }),
        };
        return (i) => object.step(ones([2]).mul(i));
      },
    ],
  };
  it.each(Object.keys(programs))('%s', (name) => {
    const [why, program] = programs[name]!;
    const made: Compiled[] = [];
    const [compiled, plain] = both((c) =>
      program(((fn: (...args: unknown[]) => unknown) => {
        const f = c(fn);
        made.push(f);
        return f;
      }) as typeof compile),
    );
    expect(compiled).toEqual(plain);
    expect(made[0]!.explain().breaks[0]!.why).toMatch(why);
  });
});

describe('an argument that shares memory with a tensor that the function reaches otherwise', () => {
  it.each([
    ['in the first call', 0],
    ['in a later call', 1],
  ])('%s', (_, shared) => {
    const [compiled, plain] = both((c) => {
      const w = filled(1);
      const step = c((x: Tensor) => {
        const before = x.mul(2);
        noGrad.run(() => w.add_(1));
        return before.add(x);
      });
      return (i) => first(step(i % 2 === shared ? w.detach() : filled(i)));
    });
    expect(compiled).toEqual(plain);
  });

  it('as parts of one array do', () => {
    const [compiled, plain] = both((c) => {
      const table = new Float32Array(6000);
      const whole = fromTypedArray(table, { shape: [2, 3000] });
      const add = c((x: Tensor) => whole.sum().add(x.sum()));
      return (i) => {
        table.fill(i);
        return add(i === 2 ? whole.select(0, 1) : filled(1));
      };
    });
    expect(compiled).toEqual(plain);
  });
});

it('hooks that leaves get later are run', () => {
  const [compiled, plain] = both((c) => {
    const w = tensor([1, 2], { requiresGrad: true });
    const step = c((x: Tensor) => {
      w.grad = null;
      w.mul(x).sum().backward();
    });
    return (i) => {
      if (i === 2) w.registerHook((g) => g.mul(10));
      step(ones([2]));
      return w.grad;
    };
  });
  expect(compiled).toEqual(plain);
});
