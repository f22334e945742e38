import { readFileSync } from 'node:fs';
import { type Runtime, Session } from 'node:inspector/promises';
import { ones, type Tensor, tensor, zeros } from '@gradgate/core';
import { Linear, Module, Parameter, ReLU, Sequential } from '@gradgate/nn';
import { afterAll, beforeAll, expect, it } from 'vitest';

// What the debugger of VS Code shows of a variable. It asks by the inspector's protocol, as we do here: V8 gives a description and
// a preview, and objects are asked for a text of their own, by `debug.description` and then by Node's symbol for inspecting.

const session = new Session();
beforeAll(async () => {
  session.connect();
  await session.post('Runtime.enable');
});
afterAll(() => session.disconnect());

const shared = globalThis as { shown?: unknown };

async function remote(value: unknown): Promise<Runtime.RemoteObject> {
  shared.shown = value;
  const { result } = await session.post('Runtime.evaluate', { expression: 'shown', generatePreview: true });
  delete shared.shown;
  return result;
}

/** What is called on a value, or on each of its members; `own` is what launch.json has as customDescriptionGenerator. */
const ask = (own?: string) => `function () {
  const text = (value) => {
    const generator = ${own};
    if (generator) {
      const description = generator.call(value, '');
      if (description !== '') return description;
    }
    if (typeof value !== 'object' || value === null) return null;
    for (const name of ['debug.description', 'nodejs.util.inspect.custom']) {
      const describe = value[Symbol.for(name)];
      if (typeof describe === 'function') return describe.call(value, 2);
    }
    return null;
  };
  return { whole: text(this), members: Object.fromEntries(Object.entries(this).map(([name, value]) => [name, text(value)])) };
}`;

async function shown(value: unknown, own?: string): Promise<{ whole: string | null; members: Record<string, string> }> {
  const { objectId } = await remote(value);
  const { result, exceptionDetails } = await session.post('Runtime.callFunctionOn', {
    objectId: objectId!,
    functionDeclaration: ask(own),
    returnByValue: true,
  });
  expect(exceptionDetails).toBeUndefined();
  return result.value;
}

class Net extends Module {
  layers = new Sequential(new Linear(2, 3), new ReLU());
  scale = new Parameter(ones([1]));
  override forward(x: Tensor): Tensor {
    return (this.layers(x) as Tensor).mul(this.scale);
  }
}

it('tensors are their text: values, what is recorded, and whether the memory is there', async () => {
  const x = tensor([[1, 2.5]], { requiresGrad: true });
  const gone = ones([2]);
  gone.dispose();
  for (const t of [x, x.mul(2), tensor(3n), zeros([0]), new Parameter(ones([2])), gone])
    expect((await shown(t)).whole).toBe(String(t));
  expect((await shown(x)).whole).toBe('tensor([[1.0000, 2.5000]], requiresGrad: true)');
});

it('large tensors are summed up, in less than what an editor cuts off', async () => {
  const { whole } = await shown(zeros([1000, 1000]));
  expect(whole).toContain('...');
  expect(whole!.length).toBeLessThan(1000);
});

it('tensors in arrays and objects are their text as well', async () => {
  expect((await shown([ones([2]), tensor(1)])).members).toEqual({ 0: 'tensor([1., 1.])', 1: 'tensor(1.)' });
  expect((await shown({ loss: tensor(0.5) })).members).toEqual({ loss: 'tensor(0.5000)' });
});

it('looking at a tensor leaves it as it is', async () => {
  const x = tensor([2], { requiresGrad: true });
  const y = x.square();
  await shown({ x, y });
  y.backward();
  expect(x.grad!.toArray()).toEqual([4]);
});

it('modules are functions, of which V8 shows the class and the members', async () => {
  const { description, preview } = await remote(new Net());
  expect(description).toBe('Proxy(Net)');
  expect(preview!.properties.map(({ name, value }) => `${name}: ${value}`)).toEqual([
    'layers: Proxy(Sequential)',
    'scale: Parameter',
    'Symbol(training): true',
  ]);
  expect((await shown(new Net())).whole).toBeNull();
});

it("with the page's customDescriptionGenerator modules are their tree, and all else is as before", async () => {
  const page = readFileSync(new URL('../../docs/pictures.md', import.meta.url), 'utf8');
  const { customDescriptionGenerator } = JSON.parse(`{${/"customDescriptionGenerator": ".*"/.exec(page)![0]}}`);
  const net = new Net();
  const { whole, members } = await shown(net, customDescriptionGenerator);
  expect(whole).toBe(String(net));
  expect(members).toEqual({ layers: String(net.layers), scale: String(net.scale) });
  const others = {
    list: [1, 2],
    text: 'a',
    none: null,
    nothing: undefined,
    plain: { a: 1 },
    run: () => 1,
    t: ones([1]),
  };
  expect((await shown(others, customDescriptionGenerator)).members).toEqual({
    ...{ list: null, text: null, none: null, nothing: null, plain: null, run: null },
    t: 'tensor([1.])',
  });
});
