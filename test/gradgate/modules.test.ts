import { noGrad, ones, randn, type Tensor, tensor } from '@gradgate/core';
import { Linear, LSTM, Module, ReLU, Sequential } from '@gradgate/nn';
import { graphDot, graphSvg, recordModules } from 'gradgate';
import { describe, expect, it } from 'vitest';

class Block extends Module {
  fc = new Linear(4, 4);
  act = new ReLU();
  override forward(x: Tensor): Tensor {
    return this.act(this.fc(x)).add(x);
  }
}

class Net extends Module {
  blocks = [new Block(), new Block()];
  head = new Linear(4, 2);
  override forward(x: Tensor): Tensor {
    return this.head(this.blocks.reduce((h, block) => block(h), x));
  }
}

/** The labels of frames and boxes in the order of the text. */
const labels = (dot: string) => [...dot.matchAll(/label="((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text!);
const frames = (dot: string) => [...dot.matchAll(/\blabel="([^"]*)"; labeljust/g)].map(([, text]) => text!);
/** The arrows, as the labels of what they join. */
function arrows(dot: string): string[] {
  const names = new Map([...dot.matchAll(/(n\d+) \[label="((?:[^"\\]|\\.)*)"/g)].map(([, id, text]) => [id, text]));
  const first = (id: string) => names.get(id)!.split('\\n')[0];
  return [...dot.matchAll(/(n\d+) -> (n\d+)/g)].map(([, from, to]) => `${first(from!)} > ${first(to!)}`);
}

function recorded(net: Module, x = ones([3, 4])) {
  const calls = recordModules({ net });
  const loss = net(x).sum();
  return { loss, modules: calls.stop() };
}

describe('a graph by modules', () => {
  it('has a frame for each call of a module, one in another, with its operations and parameters', () => {
    const { loss, modules } = recorded(new Net());
    const dot = graphDot(loss, { modules, fold: false });
    expect(frames(dot).sort()).toEqual([
      'blocks.0 · Block',
      'blocks.1 · Block',
      'fc · Linear',
      'fc · Linear',
      'head · Linear',
      'net · Net',
    ]);
    // Within the frame of the module that recorded it.
    expect(dot).toMatch(/label="head · Linear"[^}]*label="linear\\n\[3, 2\]"[^}]*label="net\.head\.weight\\n\[2, 4\]"/);
    // The sum is nobody's.
    expect(dot.slice(0, dot.indexOf('subgraph'))).toContain('label="sum\\n[]"');
  });

  it('at a depth has modules as one box with the shape they gave and their parameters, and one arrow between two', () => {
    const { loss, modules } = recorded(new Net());
    const dot = graphDot(loss, { modules, depth: 1, fold: false });
    expect(labels(dot).sort()).toEqual([
      'blocks.0 · Block\\n[3, 4]\\n20 parameters',
      'blocks.1 · Block\\n[3, 4]\\n20 parameters',
      'head · Linear\\n[3, 2]\\n10 parameters',
      'net · Net',
      'result\\n[] float32',
      'sum\\n[]',
    ]);
    expect(arrows(dot).sort()).toEqual([
      'blocks.0 · Block > blocks.1 · Block',
      'blocks.1 · Block > head · Linear',
      'head · Linear > sum',
      'sum > result',
    ]);
    expect(arrows(graphDot(loss, { modules, depth: 0 }))).toEqual(['sum > result', 'net · Net > sum']);
  });

  it('has as many levels as give no more than 60 boxes where no depth is given', () => {
    const deep = new Sequential(...Array.from({ length: 40 }, () => new Block()));
    const { loss, modules } = recorded(deep);
    const all = { modules, fold: false };
    expect(labels(graphDot(loss, all)).filter((text) => /^\d+ · Block/.test(text))).toHaveLength(40);
    expect(graphDot(loss, all)).toBe(graphDot(loss, { ...all, depth: 1 }));
    expect(labels(graphDot(loss, { ...all, depth: 9 })).length).toBeGreaterThan(200);
  });

  it('draws a parameter that two modules use in the one around both', () => {
    class Tied extends Module {
      a = new Linear(4, 4, { bias: false });
      b = new Linear(4, 4, { bias: false });
      constructor() {
        super();
        this.b.weight = this.a.weight;
      }
      override forward(x: Tensor): Tensor {
        return this.b(this.a(x).relu());
      }
    }
    const { loss, modules } = recorded(new Tied());
    const dot = graphDot(loss, { modules, depth: 1 });
    expect(arrows(dot)).toContain('net.a.weight > a · Linear');
    expect(arrows(dot)).toContain('net.a.weight > b · Linear');
  });

  it('shows what is not tracked beside a module that is one box, each kind once', () => {
    class Gated extends Module {
      fc = new Linear(4, 4);
      @noGrad scale(x: Tensor): Tensor {
        return this.fc(x).mean();
      }
      override forward(x: Tensor): Tensor {
        return this.fc(x).mul(this.scale(x)).mul(this.scale(x));
      }
    }
    const { loss, modules } = recorded(new Gated());
    expect(arrows(graphDot(loss, { modules, depth: 0 })).filter((a) => a.startsWith('under noGrad'))).toHaveLength(1);
    expect(arrows(graphDot(loss, { modules })).filter((a) => a.startsWith('under noGrad'))).toHaveLength(2);
  });

  it('of several results has them all', async () => {
    const calls = recordModules(new LSTM(2, 3));
    const lstm = new LSTM(2, 3);
    const own = recordModules(lstm);
    const [out, [h, c]] = lstm(randn([4, 1, 2]));
    const dot = graphDot([out, h, c], { modules: own.stop() });
    calls.stop();
    expect(dot.match(/label="result/g)).toHaveLength(3);
    expect(await graphSvg([out, h, c])).toContain('</svg>');
  });
});

describe('recordModules', () => {
  it('goes on behind a call that throws', () => {
    const net = new Net();
    const calls = recordModules(net);
    expect(() => net(ones([3, 5]))).toThrow(/linear/);
    const loss = net(ones([3, 4])).sum();
    const dot = graphDot(loss, { modules: calls.stop(), depth: 0 });
    expect(labels(dot)).toContain('Net\\n[3, 2]\\n50 parameters');
  });

  it('records nothing behind stop()', () => {
    const net = new Net();
    const modules = recordModules(net).stop();
    const y = net(ones([3, 4]));
    expect(frames(graphDot(y, { modules }))).toEqual([]);
    expect(modules.names.get(net.head.weight)).toBe('head.weight');
  });

  it('refuses what is no module, and a depth without modules', () => {
    expect(() => recordModules(tensor([1]) as never)).toThrow(/recordModules: modules must be a Module, or an object/);
    const w = tensor([1], { requiresGrad: true });
    expect(() => graphDot(w, { depth: 1 })).toThrow(/graph: depth counts levels of modules; give modules too/);
    expect(() => graphDot(w, { modules: {} as never })).toThrow(
      /graph: modules must be what recordModules\(\)\.stop\(\) gives/,
    );
    expect(() => graphDot([w, 1 as never])).toThrow(/graph/);
    expect(() => graphDot([])).toThrow(/graph: there is no tensor/);
  });
});
