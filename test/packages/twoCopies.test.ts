import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root, temporaryFolder } from './pack.js';

// Two copies of the packages in one process: installed twice, or bundled into a library and installed beside it.

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }), 60_000);

beforeAll(() => {
  for (const copy of ['a', 'b']) {
    const modules = join(folder, copy, 'node_modules');
    for (const name of ['core', 'nn', 'distributions', 'train', 'onnx'])
      for (const part of ['dist', 'package.json'])
        cpSync(join(root, 'packages', name, part), join(modules, '@gradgate', name, part), { recursive: true });
    for (const name of ['pure-rand', 'fflate', 'fast-png', 'crc-32', '@bufbuild'])
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    writeFileSync(
      join(folder, copy, 'index.mjs'),
      ['core', 'nn', 'distributions', 'train', 'onnx', 'core/sparse', 'core/gradcheck', 'core/func', 'core/complex']
        .map((name) => `export * as ${name.replace('core/', '')} from '@gradgate/${name}';`)
        .join('\n'),
    );
  }
  mkdirSync(join(folder, 'bundle'));
  buildSync({
    entryPoints: [join(folder, 'b/index.mjs')],
    outfile: join(folder, 'bundle/index.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
  });
  writeFileSync(join(folder, 'program.mjs'), program);
}, 60_000);

/** `a` and `la` are a tensor and a layer of one copy, `b`, `lb` and `ob` those of the other and an optimizer. */
const refused: Record<string, string> = {
  'an operand': 'a.add(b)',
  'an operand that is written': 'a.copy_(b)',
  'a function': 'A.core.where(b, a, a)',
  'a list of tensors': 'A.core.cat([a, b])',
  'an index': 'a.at(b)',
  einsum: `A.core.einsum('ij,ij->', a, b)`,
  'a nested array': 'A.core.tensor([b, b])',
  'a gradient': 'a.grad = b',
  'a gradient of a result': 'A.core.ones([2, 2], { requiresGrad: true }).backward(b)',
  'a generator': 'A.core.randn([2], { generator: new B.core.Generator(1) })',
  'an input of a layer': 'la(b)',
  'a layer in a container': 'new A.nn.Sequential(lb)',
  'a layer in a field': 'la.other = lb',
  'a weight in a field': 'la.weight = lb.weight',
  'parameters in a list': 'new A.nn.ParameterList([lb.weight])',
  'parameters of an optimizer': 'new A.nn.optim.SGD(lb.parameters(), { lr: 1 })',
  'a state dict': 'la.loadStateDict(lb.stateDict())',
  'a parametrization': 'A.nn.weightNorm(lb)',
  functionalCall: 'A.nn.functionalCall(lb, {}, b)',
  'a file of tensors': 'A.nn.encodeSafetensors({ x: b })',
  'a checkpoint': 'A.nn.encodeCheckpoint({ model: b })',
  'a dataset of tensors': 'new A.nn.data.TensorDataset(b)',
  'a snapshot': 'A.nn.snapshot({ b })',
  'a packed sequence': 'A.nn.padPackedSequence(B.nn.packSequence([b]))',
  'what is frozen': 'A.core.freezing(b).run(() => 1)',
  'inputs of gradcheck': 'A.gradcheck.gradcheck((x) => x, [b])',
  'a complex tensor': 'A.complex.conj(B.complex.complex(b, b))',
  'an input of vmap': 'A.func.vmap((x) => x)(b)',
  'a sparse operand': 'sparse(A).add(sparse(B))',
  'a sparse factor': 'A.sparse.matmul(sparse(B), a)',
  'a parameter of a distribution': 'new A.distributions.Normal(b, 1)',
  'a base distribution': 'new A.distributions.Independent(new B.distributions.Normal(b, 1), 1)',
  'a divergence': 'A.distributions.klDivergence(new A.distributions.Normal(0, 1), new B.distributions.Normal(0, 1))',
  'a model to fit': 'A.train.evaluate(lb, [a], { step: () => ({}) })',
  'a run of fit': 'new A.train.EarlyStopping().onFitStart(await foreignRun())',
  'a model to export': 'A.onnx.exportOnnx(lb, [a])',
  'samples of a batch': `(async () => { for await (const x of new A.nn.data.DataLoader([b, b])) return x; })()`,
};
/** Modes are of the process, and what only reads does so from any copy. */
const works: Record<string, [string, unknown]> = {
  'a gate': ['A.core.noGrad.run(() => lb(b).requiresGrad)', false],
  'evaluation mode': ['A.nn.evaluating.run(() => new B.nn.Dropout(0.5)(B.core.ones([100])).sum().item())', 100],
  'bytes of a file': [
    'A.nn.decodeSafetensors(B.nn.encodeSafetensors({ x: b })).tensors.x.toArray()',
    [
      [1, 1],
      [1, 1],
    ],
  ],
  'sending to threads': [
    'A.core.unpackTensor(B.core.packTensor(b)).toArray()',
    [
      [1, 1],
      [1, 1],
    ],
  ],
};

const program = `import { createRequire } from 'node:module';
  import * as A from './a/index.mjs';
  const B = process.argv[2] === 'a bundle' ? createRequire(import.meta.url)('./bundle/index.cjs') : await import('./b/index.mjs');
  const [a, b] = [A.core.ones([2, 2]), B.core.ones([2, 2])];
  const [la, lb] = [new A.nn.Linear(2, 2), new B.nn.Linear(2, 2)];
  const sparse = (copy) => copy.sparse.sparseCooTensor([[0, 1], [0, 1]], [1, 2], [2, 2]);
  const foreignRun = () => B.train.fit(lb, {
    train: [b], epochs: 1, optimizer: new B.nn.optim.SGD(lb.parameters(), { lr: 1 }), trainingStep: (x) => lb(x).sum(),
  });
  const cases = { ${[...Object.entries(refused), ...Object.entries(works).map(([name, [code]]) => [name, code])]
    .map(([name, code]) => `${JSON.stringify(name)}: async () => ${code}`)
    .join(',\n')} };
  const told = {};
  for (const [name, run] of Object.entries(cases))
    try { told[name] = (await run()) ?? null; } catch (error) { told[name] = error.constructor.name + ': ' + error.message; }
  console.log(JSON.stringify(told));`;

it.each(['an ES module', 'a bundle'])(
  'what comes from another copy, as %s, is used as it is or refused as such',
  (how) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['program.mjs', how], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const told = JSON.parse(stdout) as Record<string, unknown>;
    expect(told).toEqual({
      ...Object.fromEntries(
        Object.keys(refused).map((name) => [
          name,
          expect.stringMatching(/Error: [\s\S]*another copy of gradgate; two copies are loaded/),
        ]),
      ),
      ...Object.fromEntries(Object.entries(works).map(([name, [, value]]) => [name, value])),
    });
  },
);
