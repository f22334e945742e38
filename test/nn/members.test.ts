import { noGrad, ones, randn, setReporter, type Tensor, tensor, zeros } from '@gradgate/core';
import {
  Buffer,
  buffer,
  Linear,
  Module,
  ModuleDict,
  ModuleList,
  optim,
  Parameter,
  ParameterList,
  ReLU,
  Sequential,
  snapshot,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

class Scaled extends Module {
  w = new Parameter(ones([2]));
  mean = buffer(ones([2]));
  fc: Linear | null = new Linear(2, 2);
  cache: Tensor | null = null;
  override forward(x: Tensor): Tensor {
    return this.fc!(x).mul(this.w).sub(this.mean);
  }
  decay(): void {
    this.mean = this.mean.mul(0.9) as Buffer;
  }
}
const loose = (m: Module) => m as unknown as Record<string, unknown>;

describe('a field that holds a parameter, a buffer or a module', () => {
  it('refuses at once what would lose it, whether anything was listed before or not', () => {
    for (const list of [false, true]) {
      const m = new Scaled();
      const l = new Linear(2, 2);
      if (list) [...m.parameters(), ...l.parameters()].map(String);
      expect(() => {
        // @ts-expect-error a plain tensor is no parameter
        l.weight = ones([2, 2]);
      }).toThrow(
        /Linear: the field 'weight' is a Parameter and would become a plain Tensor of shape \[2, 2\].*copy_\(\)/,
      );
      expect(() => m.decay()).toThrow(
        /Scaled: the field 'mean' is a Buffer and would become a plain Tensor.*copy_\(\)/,
      );
      for (const wrong of [ones([2]), 3, [1, 2], 'x', m.mean, l])
        expect(() => {
          loose(m)['w'] = wrong;
        }).toThrow(/the field 'w' is a Parameter and would become/);
      expect(() => {
        loose(m)['fc'] = (x: Tensor) => x;
      }).toThrow(/the field 'fc' is a Module and would become a function.*assign a Module or null/);
      expect(() => Object.defineProperty(m, 'w', { value: ones([2]) })).toThrow(/is a Parameter/);
      expect([l.weight.shape, m.w.toArray(), m.mean.toArray()]).toEqual([
        [2, 2],
        [1, 1],
        [1, 1],
      ]);
      expect([...m.parameters()]).toHaveLength(3);
    }
  });

  it('takes another of its kind, or null, and goes on to be what it was after null', () => {
    const m = new Scaled();
    const w = new Parameter(zeros([2]));
    m.w = w;
    m.fc = null;
    m.cache = ones([3]);
    expect([...m.parameters()][0] === w && [...m.parameters()].length === 1).toBe(true);
    expect(() => {
      loose(m)['fc'] = 3;
    }).toThrow(/the field 'fc' is a Module/);
    m.fc = new Linear(2, 2);
    expect(Object.keys(m.stateDict())).toEqual(['w', 'mean', 'fc.weight', 'fc.bias']);
    // What was deleted is free for anything.
    delete loose(m)['mean'];
    loose(m)['mean'] = ones([2]);
    expect([...m.buffers()]).toEqual([]);
  });

  it('has no dot in its name, and no name that is saved as another one', () => {
    const m = new Scaled();
    expect(() => {
      loose(m)['fc.weight'] = new Parameter(ones([1]));
    }).toThrow(/Scaled: 'fc.weight' cannot be the name of a Parameter/);
    expect(() => {
      loose(m)[''] = new Linear(1, 1);
    }).toThrow(/'' cannot be the name of a Module/);
    loose(m)['fc.weight'] = 3;
    loose(m)['headBias'] = new Parameter(ones([1]));
    loose(m)['head_bias'] = new Parameter(ones([1]));
    expect(() => m.stateDict()).toThrow(/two members are saved as 'head_bias'/);
  });

  it('can be shared: weights are tied by assignment', () => {
    class Tied extends Module {
      wte = new Linear(4, 6, { bias: false });
      lmHead = new Linear(4, 6, { bias: false });
      constructor() {
        super();
        this.wte.weight = this.lmHead.weight;
      }
    }
    const m = new Tied();
    expect([...m.namedParameters()].map(([name]) => name)).toEqual(['wte.weight']);
    expect(Object.keys(m.stateDict())).toEqual(['wte.weight', 'lm_head.weight']);
    // Files that hold what is shared once load too.
    const w = randn([6, 4]);
    m.loadStateDict({ 'lm_head.weight': w });
    expect(m.wte.weight.toArray()).toEqual(w.toArray());
    expect(() => m.loadStateDict({})).toThrow(/missing keys: wte.weight, lm_head.weight/);
  });
});

describe('state dicts', () => {
  it('have a shared module under each of its names, as PyTorch’s', () => {
    class Twice extends Module {
      a = new Linear(1, 1, { bias: false });
      b = this.a;
    }
    const m = new Twice();
    expect(Object.keys(m.stateDict())).toEqual(['a.weight', 'b.weight']);
    expect([...m.namedParameters()].map(([name]) => name)).toEqual(['a.weight']);
    m.loadStateDict({ 'a.weight': tensor([[5]]) });
    expect(m.b.weight.item()).toBe(5);
    m.loadStateDict({ 'a.weight': tensor([[6]]), 'b.weight': tensor([[6]]) });
    expect(m.a.weight.item()).toBe(6);
  });

  it('spell the names of fields as PyTorch does, and take those of the fields too', () => {
    class Net extends Module {
      tokEmb = new Parameter(ones([1]));
      blocks = new ModuleDict({ leftHand: new Linear(1, 1, { bias: false }) });
      runningVar2 = buffer(ones([1]));
    }
    const m = new Net();
    expect(Object.keys(m.stateDict())).toEqual(['tok_emb', 'running_var2', 'blocks.leftHand.weight']);
    const old = { tokEmb: zeros([1]), runningVar2: zeros([1]), 'blocks.leftHand.weight': zeros([1, 1]) };
    m.loadStateDict(old);
    expect(m.tokEmb.item()).toBe(0);
    expect(Object.keys(old)).toContain('tokEmb');
  });

  it('take whole numbers of another width, for counters', () => {
    class Counter extends Module {
      n = buffer(zeros([], { dtype: 'int32' }));
    }
    const m = new Counter();
    m.loadStateDict({ n: tensor(3, { dtype: 'int32' }) });
    expect(m.n.item()).toBe(3);
    expect(() => m.loadStateDict({ n: tensor(3) })).toThrow(/n is float32, the module's is int32/);
  });
});

describe('members in collections', () => {
  class Net extends Module {
    layers: Module[] = [];
    heads = { left: new Linear(1, 1, { bias: false }), plain: 3 };
    byName = new Map<string, Module>([['x', new Linear(1, 1, { bias: false })]]);
    scales = [new Parameter(ones([1])), new Parameter(ones([1]))];
    nested = [[new Linear(1, 1, { bias: false })], [new ReLU()]];
    sizes = [1, 2, 3];
    constructor() {
      super();
      for (let i = 0; i < 2; i++) this.layers.push(new Linear(1, 1, { bias: false }));
    }
    override forward(x: Tensor): Tensor {
      return this.layers.reduce<Tensor>((y, layer) => (layer as Linear)(y), x);
    }
  }

  it('are registered by index and key', () => {
    const m = new Net();
    const names = [
      'scales.0',
      'scales.1',
      'layers.0.weight',
      'layers.1.weight',
      'heads.left.weight',
      'byName.x.weight',
      'nested.0.0.weight',
    ];
    expect([...m.namedParameters()].map(([name]) => name)).toEqual(names);
    expect(Object.keys(m.stateDict())).toEqual(names.map((n) => n.replace('byName', 'by_name')));
    expect([...m.namedChildren()].map(([name]) => name)).toContain('nested.1.0');
    expect(m.getSubmodule('layers.1')).toBe(m.layers[1]);
    m.eval();
    expect(m.layers[1]!.training).toBe(false);
    m(ones([1, 1]))
      .sum()
      .backward();
    expect((m.layers[0] as Linear).weight.grad).not.toBeNull();
    expect(`${m}`).toContain('(layers.1): Linear');
    m.layers.push(new ReLU());
    expect([...m.children()]).toHaveLength(7);
  });

  it('are refused under keys that no name can have', () => {
    const m = new Net();
    m.byName.set('a.b', new ReLU());
    expect(() => [...m.parameters()]).toThrow(/Net: 'byName' holds a Module under the key 'a.b'/);
    m.byName.delete('a.b');
    m.byName.set({} as never, new ReLU());
    expect(() => m.stateDict()).toThrow(/under the key an object/);
  });

  it('may be in circles', () => {
    const m = new Net();
    const circle: unknown[] = [new ReLU()];
    circle.push(circle);
    loose(m)['circle'] = circle;
    expect([...m.namedChildren()].map(([name]) => name)).toContain('circle.0');
  });

  it('are found behind accessors', () => {
    class Pair extends Module {
      // What compilers make of `accessor fc = ...`.
      #fc = new Linear(1, 1, { bias: false });
      get fc() {
        return this.#fc;
      }
      set fc(m) {
        this.#fc = m;
      }
      own = new Linear(1, 1, { bias: false });
      get same() {
        return this.own;
      }
      set same(m) {
        this.own = m;
      }
    }
    expect([...new Pair().namedParameters()].map(([name]) => name).sort()).toEqual(['fc.weight', 'own.weight']);
  });

  it('that nobody can see are reported when they are called', () => {
    class Hidden extends Module {
      #fc = new Linear(1, 1);
      fc = new Linear(1, 1);
      list = [new Linear(1, 1)];
      override forward(x: Tensor): Tensor {
        return this.list[0]!(this.fc(this.#fc(x)));
      }
    }
    const reports: string[] = [];
    const before = setReporter((message) => void reports.push(message));
    try {
      const m = new Hidden();
      noGrad.run(() => m(ones([1, 1])));
      expect(reports).toEqual([]);
      m(ones([1, 1]));
      m(ones([1, 1]));
      expect(reports).toHaveLength(1);
      expect(reports[0]).toMatch(/Hidden calls a Linear that is no part of any module.*#private/);
    } finally {
      setReporter(before);
    }
  });
});

it('a module that calls itself, also by way of another one, is not reported', () => {
  class Leaf extends Module {
    w = new Parameter(ones([1]));
    override forward(x: Tensor, back: (x: Tensor) => Tensor): Tensor {
      return back(x.mul(this.w));
    }
  }
  class Tree extends Module {
    w = new Parameter(ones([1]));
    leaf = new Leaf();
    override forward(x: Tensor, depth: number): Tensor {
      return depth === 0 ? x.mul(this.w) : this.leaf((this as Tree)(x, depth - 1), (y: Tensor) => (this as Tree)(y, 0));
    }
  }
  const reports: string[] = [];
  const before = setReporter((message) => void reports.push(message));
  try {
    expect(new Tree()(ones([1]), 3).item()).toBe(1);
    expect(reports).toEqual([]);
  } finally {
    setReporter(before);
  }
});

describe('lists', () => {
  const names = (m: Module) => [...m.namedChildren()].map(([name]) => name);

  it('append after a member was deleted, and insert, pop, extend and slice', () => {
    const [a, b, c, d] = [new Linear(1, 1), new Linear(1, 2), new Linear(1, 3), new Linear(1, 4)];
    const list = new ModuleList([a, b, c]);
    delete loose(list)[1];
    expect([list.length, list.at(1)]).toEqual([2, c]);
    list.append(d);
    expect([[...list], names(list)]).toEqual([
      [a, c, d],
      ['0', '1', '2'],
    ]);
    list.insert(1, b);
    expect([...list]).toEqual([a, b, c, d]);
    expect([list.pop(), list.pop(0), [...list], names(list)]).toEqual([d, a, [b, c], ['0', '1']]);
    list.extend([a, d]).insert(-1, a);
    expect([...list]).toEqual([b, c, a, a, d]);
    const part = list.slice(1, -1);
    expect([part instanceof ModuleList, [...part]]).toEqual([true, [c, a, a]]);
    expect(new Sequential(a, new ReLU()).slice(0, 1)).toBeInstanceOf(Sequential);
    expect(() => list.pop(9)).toThrow(/ModuleList.pop: there is no member 9; it has 5/);
    expect(() => list.insert(9, a)).toThrow(/ModuleList.insert: the index must be from -5 to 5, got 9/);
    expect(() => list.insert(0, 3 as never)).toThrow(/ModuleList.insert: 0 must be a Module/);
    expect(() => list.append(null as never)).toThrow(/5 must be a Module, got null/);
    expect(() => new ModuleList(3 as never)).toThrow(/ModuleList: the list of members must be an array/);
    expect(list.length).toBe(5);
    expect(new ParameterList([new Parameter(ones([1]))]).slice()).toHaveLength(1);
  });

  it('have modules alone as members', () => {
    class S extends Sequential {
      scale = 2;
    }
    const s = new S(new Linear(1, 1), new ReLU());
    expect([s.length, [...s].length, s(ones([1, 1])).shape]).toEqual([2, 2, [1, 1]]);
    class D extends ModuleDict {
      scale = 2;
    }
    const d = new D({ a: new ReLU() });
    expect([d.keys(), d.has('scale'), d.get('scale')]).toEqual([['a'], false, undefined]);
    expect([d.pop('a') instanceof ReLU, d.keys()]).toEqual([true, []]);
    expect(() => d.pop('a')).toThrow(/D.pop: there is no member 'a'; it has none/);
  });
});

describe('a link to the module above', () => {
  class Child extends Module {
    parent: Module | null = null;
    fc = new Linear(1, 1, { bias: false });
  }
  class Parent extends Module {
    child = new Child();
    constructor() {
      super();
      this.child.parent = this;
    }
  }

  it('is cut off by everything that walks the tree', () => {
    const m = new Parent();
    expect(`${m}`).toBe(
      'Parent(\n  (child): Child(\n    (parent): Parent, which this is a part of\n    (fc): Linear(inFeatures=1, outFeatures=1, bias=false)\n  )\n)',
    );
    const seen: string[] = [];
    m.apply((part) => void seen.push(part.constructor.name));
    expect(seen).toEqual(['Linear', 'Child', 'Parent']);
    expect(Object.keys(m.stateDict())).toEqual(['child.fc.weight']);
    m.loadStateDict(m.stateDict());
    expect([...m.modules()]).toHaveLength(3);
    expect([...m.children()]).toEqual([m.child]);
    expect(m.clone().child.parent).not.toBe(m);
    expect(m.eval().child.training).toBe(false);
  });
});

describe('hooks', () => {
  it('that are registered twice run twice, and each is removed by itself', () => {
    const m = new Linear(1, 1);
    let runs = 0;
    const hook = () => void runs++;
    const [first] = [m.registerForwardHook(hook), m.registerForwardHook(hook)];
    m(ones([1, 1]));
    expect(runs).toBe(2);
    first.remove();
    first.remove();
    m(ones([1, 1]));
    expect(runs).toBe(3);
    const w = ones([1], { requiresGrad: true });
    const grads: number[] = [];
    const seen = (g: Tensor) => void grads.push(g.item());
    const [one] = [w.registerHook(seen), w.registerHook(seen)];
    w.sum().backward();
    one.remove();
    w.sum().backward();
    expect(grads).toHaveLength(3);
  });
});

describe('snapshot', () => {
  it('copies what contains itself, and refuses what is nested too deep', () => {
    const loop: Record<string, unknown> = { a: ones([1]) };
    loop['self'] = loop;
    const copy = snapshot(loop);
    expect(copy['self']).toBe(copy);
    expect(copy['a']).not.toBe(loop['a']);
    let deep: unknown[] = [];
    for (let i = 0; i < 20_000; i++) deep = [deep];
    expect(() => snapshot(deep)).toThrow(/^snapshot: lists and objects are nested deeper than 500 levels/);
  });
});

describe('clone', () => {
  it('copies tensors, keeps ties, flags, hooks and plain data, and shares nothing with the original', () => {
    class Net extends Module {
      wte = new Linear(2, 2, { bias: false });
      head = new Linear(2, 2, { bias: false });
      mean = buffer(ones([1]), { persistent: false });
      list = [this.wte];
      config = { sizes: [1, 2] };
      constructor() {
        super();
        this.head.weight = this.wte.weight;
        this.mean.fill_(4);
      }
      override forward(x: Tensor): Tensor {
        return this.head(this.wte(x));
      }
    }
    const m = new Net();
    let runs = 0;
    m.head.registerForwardHook(() => void runs++);
    m.wte.eval();
    m(ones([1, 2]))
      .sum()
      .backward();
    const copy = m.clone();
    expect(copy).toBeInstanceOf(Net);
    expect([copy.head.weight === copy.wte.weight, copy.list[0] === copy.wte]).toEqual([true, true]);
    expect([copy.wte.training, copy.head.training]).toEqual([false, true]);
    expect(copy.wte.weight.grad!.toArray()).toEqual(m.wte.weight.grad!.toArray());
    expect([copy.mean, copy.mean.persistent, copy.mean.item()]).toEqual([expect.any(Buffer), false, 4]);
    copy.config.sizes.push(3);
    expect(m.config.sizes).toEqual([1, 2]);
    const x = ones([1, 2]);
    expect(copy(x).toArray()).toEqual(m(x).toArray());
    expect(runs).toBe(3);
    noGrad.run(() => copy.wte.weight.fill_(0));
    expect(m.wte.weight.abs().sum().item()).toBeGreaterThan(0);
    expect([...copy.parameters()].every((p) => p.isLeaf && p.requiresGrad)).toBe(true);
  });

  it('refuses classes whose private fields it cannot copy', () => {
    class Private extends Module {
      #n = 1;
      override forward(): number {
        return this.#n;
      }
    }
    expect(() => new Private().clone()).toThrow(/clone: Private has private fields/);
  });
});

describe('errors from a model', () => {
  class Net extends Module {
    body = new Sequential(new Linear(3, 4), new ReLU(), new Linear(5, 2));
    override forward(x: Tensor): Tensor {
      return this.body(x);
    }
  }
  const caught = (f: () => unknown): Error => {
    try {
      f();
    } catch (error) {
      return error as Error;
    }
    throw new Error('nothing was thrown');
  };

  it('name the path and class of the module, and what it got', () => {
    const error = caught(() => new Net()(ones([7, 3])));
    expect(error.message).toMatch(/^body\.2 \(Linear\): linear: .*\(called with \[7, 4\]\)$/);
    expect(error.name).toBe('ShapeError');
    expect(error.stack).toContain(error.message);
    expect(error.stack!.split('body.2 (Linear)')).toHaveLength(2);
    // A module that is called by itself has no path.
    expect(caught(() => new Linear(3, 4)(ones([2, 5]))).message).toMatch(
      /^Linear: linear: .*\(called with \[2, 5\]\)$/,
    );
  });

  it('stay the same object, also from asynchronous modules', async () => {
    class Late extends Module {
      inner = new Linear(1, 1);
      override async forward(x: Tensor): Promise<Tensor> {
        await null;
        return this.inner(x);
      }
    }
    class Outer extends Module {
      late = new Late();
      override async forward(x: Tensor): Promise<Tensor> {
        return this.late(x);
      }
    }
    await expect(new Outer()(ones([1, 2]))).rejects.toThrow(/^late\.inner \(Linear\): linear: /);
    const own = Object.freeze(new Error('mine'));
    class Throws extends Module {
      override forward(): never {
        throw own;
      }
    }
    expect(caught(() => (new Sequential(new Throws()) as Module)(ones([1])))).toBe(own);
    class Odd extends Module {
      override forward(): never {
        throw 'text';
      }
    }
    expect(() => (new Odd() as Module)(1)).toThrow('text');
  });
});

describe('the `this` of a forward', () => {
  it('is the module itself in a class of one`s own, also one derived of a layer, so that a write that loses a parameter is refused', () => {
    class Mine extends Linear {
      seen: unknown = null;
      override forward(x: Tensor): Tensor {
        this.seen = this;
        loose(this)['weight'] = zeros([2, 2]);
        return x;
      }
    }
    const mine = new Mine(2, 2);
    expect(() => new Sequential(mine)(ones([1, 2]))).toThrow(/the field 'weight' is a Parameter/);
    expect(mine.seen).toBe(mine);
    expect(mine.weight).toBeInstanceOf(Parameter);
  });

  it('finds the fields that there are now, in layers and rows of them', () => {
    const [first, second] = [new Linear(2, 2), new ReLU()];
    const row = new Sequential(first, second);
    const x = tensor([[1, -1]]);
    const before = row(x).toArray();
    noGrad.run(() => {
      first.weight = new Parameter(
        tensor([
          [2, 0],
          [0, 2],
        ]),
      );
      first.bias = null;
    });
    expect(row(x).toArray()).toEqual([[2, 0]]);
    expect(before).not.toEqual([[2, 0]]);
    row.pop();
    expect(row(x).toArray()).toEqual([[2, -2]]);
    loose(row)['0'] = new ReLU();
    expect(row(x).toArray()).toEqual([[1, 0]]);
    first.forward = (input: Tensor) => input.mul(3);
    expect(first(x).toArray()).toEqual([[3, -3]]);
  });
});

describe('what would not end, or would not be waited for, is refused by name', () => {
  it('iterators without an end in the place of parameters and modules', () => {
    function* endless<T>(value: T): Generator<T> {
      for (;;) yield value;
    }
    const p = new Parameter(ones([1]));
    for (const make of [
      () => new optim.SGD(endless(p), { lr: 1 }),
      () => new optim.SGD([{ params: endless(p) }], { lr: 1 }),
      () => new ModuleList(endless(new ReLU())),
      () => new ParameterList(endless(p)),
      () => optim.clipGradNorm_(endless(p), 1),
    ])
      expect(make).toThrow(/: .* has more than 1048576 items; does its iterator end\?$/);
  });

  it('numbers are refused where parameters are expected, also those of memory that was transferred', () => {
    const gone = new Float32Array(8);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    for (const numbers of [gone, new Float32Array([1])])
      expect(() => new optim.SGD(numbers as never, { lr: 1 })).toThrow(
        'SGD: params must not be an array of numbers, got an instance of Float32Array',
      );
  });

  it('a Sequential that is a member of itself', () => {
    const net = new Sequential(new ReLU()) as Sequential & { again: Module };
    net.again = net;
    expect(() => net(ones([1]))).toThrow(/Sequential: it is a member of itself, so its forward would never end/);
    const inner = new Sequential(new ReLU()) as Sequential;
    const outer = new Sequential(inner, new ReLU());
    inner.append(outer);
    for (const one of [inner, outer] as Module[])
      expect(() => (one as Sequential)(ones([1]))).toThrow(
        /\(Sequential\): it is a member of itself, so its forward would never end/,
      );
  });

  it('asynchronous hooks, and a function of apply', () => {
    const x = ones([1, 2]);
    const hooked = (hook: (l: Linear) => unknown) => {
      const l = new Linear(2, 2);
      hook(l);
      return l;
    };
    const promise = (async () => undefined) as () => never;
    expect(() => hooked((l) => l.registerForwardPreHook(promise))(x)).toThrow(
      /^Linear: a forward pre-hook must give an array or nothing, got an instance of Promise/,
    );
    expect(() => hooked((l) => l.registerForwardHook(promise))(x)).toThrow(/a forward hook gave a promise/);
    expect(() => hooked((l) => l.registerStateDictPostHook(promise)).stateDict()).toThrow(
      /^stateDict: a hook gave a promise/,
    );
    const loading = hooked((l) => l.registerLoadStateDictPreHook(promise));
    expect(() => loading.loadStateDict(new Linear(2, 2).stateDict())).toThrow(/^loadStateDict: a hook gave a promise/);
    expect(() => loading.apply(promise)).toThrow(/^apply: the function gave a promise/);
  });
});
