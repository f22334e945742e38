import { load } from './load.mjs';
import { productCases, sizedCases } from './names.mjs';

const { torch } = await load('js-pytorch');
const { nn, optim } = torch;
export const version = '0.7.2';

class Mlp extends nn.Module {
  constructor(d, h, o) {
    super();
    this.first = new nn.Linear(d, h);
    this.relu = new nn.ReLU();
    this.second = new nn.Linear(h, o);
  }

  forward(x) {
    return this.second.forward(this.relu.forward(this.first.forward(x)));
  }
}
const train = (net, x, y, loss) => {
  const optimizer = new optim.Adam(net.parameters(), 1e-3, 0, [0.9, 0.999], 1e-8);
  return () => {
    optimizer.zero_grad();
    loss.forward(net.forward(x), y).backward();
    optimizer.step();
  };
};
const infer = (net, x) => {
  // Its way to turn recording off; else each call would add its result to the parameters' graph.
  for (const p of net.parameters()) p.requires_grad = false;
  return () => net.forward(x);
};
/** Its sum is over one dimension. */
const total = (x) => x.shape.reduce((sum) => sum.sum(), x);
const backward = (inputs, f) => () => {
  for (const x of inputs) x.zero_grad();
  total(f()).backward();
};

const all = {
  ...productCases((m, k, n, ta, tb) => {
    const a = ta ? torch.randn([k, m]) : torch.randn([m, k]);
    const b = tb ? torch.randn([n, k]) : torch.randn([k, n]);
    const t = (x, transposed) => (transposed ? x.transpose(0, 1) : x);
    return () => t(a, ta).matmul(t(b, tb));
  }),
  ...sizedCases({
    add: (n) => {
      const [a, b] = [torch.randn([n]), torch.randn([n])];
      return () => a.add(b);
    },
    exp: (n) => {
      const x = torch.randn([n]);
      return () => x.exp();
    },
    sum: (n) => {
      const x = torch.randn([n]);
      return () => x.sum();
    },
  }),
  'softmax 100x1000': () => {
    const [x, softmax] = [torch.randn([100, 1000]), new nn.Softmax()];
    return () => softmax.forward(x, -1);
  },
  'eager 8x8, forward and backward': () => {
    const [a, b] = [torch.randn([8, 8], true), torch.randn([8, 8])];
    return backward([a], () => a.matmul(b));
  },
  'MLP 784-128-10, batch 64, train': () =>
    train(new Mlp(784, 128, 10), torch.randn([64, 784]), torch.randint(0, 10, [64]), new nn.CrossEntropyLoss()),
  'MLP 784-128-10, batch 64, infer under @noGrad': () => infer(new Mlp(784, 128, 10), torch.randn([64, 784])),
  'MLP 2-16-1, batch 4, train': () =>
    train(new Mlp(2, 16, 1), torch.randn([4, 2]), torch.randn([4, 1]), new nn.MSELoss()),
  'MLP 2-16-1, batch 4, infer under @noGrad': () => infer(new Mlp(2, 16, 1), torch.randn([4, 2])),
  'attention 8x4x64x32, forward and backward': () => {
    const [q, k, v] = [1, 2, 3].map(() => torch.randn([8, 4, 64, 32], true));
    const softmax = new nn.Softmax();
    const weights = () => softmax.forward(q.matmul(k.transpose(-2, -1)).mul(1 / Math.sqrt(32)), -1);
    return backward([q, k, v], () => weights().matmul(v));
  },
  'layer norm 512x512, forward and backward': () => {
    const [x, norm] = [torch.randn([512, 512], true), new nn.LayerNorm(512)];
    norm.gamma.requires_grad = norm.beta.requires_grad = false;
    return backward([x], () => norm.forward(x));
  },
  'Adam step, 1e6 parameters': () => {
    const p = torch.randn([1000, 1000], true);
    p._grad = torch.randn([1000, 1000]);
    const optimizer = new optim.Adam([p]);
    return () => optimizer.step();
  },
};

/** It stores numbers in nested arrays; these cases would take more than ten seconds a call, or gigabytes. */
const tooLarge = (name) => name.endsWith(' 1e7') || name === 'product 1024';
export const cases = Object.fromEntries(Object.entries(all).filter(([name]) => !tooLarge(name)));
