import { noGrad, randn, type Tensor } from '@gradgate/core';
import { checkOptions, is } from '@gradgate/core/internal';
import { checkModule } from './checkModule.js';
import { ConvTranspose1d, ConvTranspose2d } from './layers/conv.js';
import { ConvTranspose3d } from './layers/conv3d.js';
import { registryOf, snakeCase } from './members.js';
import type { Module } from './module.js';
import { type Buffer, buffer, Parameter } from './parameter.js';
import { shapeText } from './shapeText.js';

// A weight that is computed from other parameters. The field becomes a getter, which is not a parameter of the module;
// what the weight is computed from are parameters instead.

type Fields = Record<string, Tensor>;

const nameOption = { name: is.string };
const weightNormOptions = { ...nameOption, dim: is.nullable(is.integer) };
const spectralNormOptions = { ...nameOption, powerIterations: is.count, eps: is.nonNegative, dim: is.integer };

/** Their weights have the output channels in the second dimension. */
const transposed = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d];

function weightOf(op: string, module: Module, name: string): Parameter {
  checkModule(op, module);
  const weight = (module as unknown as Fields)[name];
  if (!(weight instanceof Parameter))
    throw new TypeError(`${op}: ${module.constructor.name} has no parameter '${name}'`);
  return weight;
}

function checkDim(op: string, name: string, weight: Tensor, dim: number): void {
  if (!(dim >= 0 && dim < weight.ndim))
    throw new RangeError(`${op}: '${name}' of shape ${shapeText(weight)} has no dimension ${dim}`);
}

/** Defines a field that `get` computes from the others; in a copy of the module, `this` is the copy. */
function defineComputed(module: Module, name: string, get: (fields: Fields) => Tensor): void {
  Object.defineProperty(module, name, {
    get(this: Module) {
      return get(this as unknown as Fields);
    },
    set(this: Module) {
      throw new TypeError(
        `${this.constructor.name}: '${name}' is computed from other parameters; change those, or remove what computes it`,
      );
    },
    enumerable: false,
    configurable: true,
  });
}

/** Adds the names under which PyTorch's newer parametrizations save the parts. */
function addAliases(module: Module, names: Record<string, string>): void {
  const registry = registryOf(module);
  registry.aliases ??= new Map();
  for (const [own, other] of Object.entries(names)) registry.aliases.set(snakeCase(own), [other]);
}

/** Puts a parameter with the current value back in place of the computed one. */
function removeComputed(op: string, module: Module, name: string, parts: readonly string[]): void {
  checkModule(op, module);
  const fields = module as unknown as Fields;
  if (!Object.getOwnPropertyDescriptor(module, name)?.get || parts.some((part) => !(part in module)))
    throw new TypeError(`${op}: '${name}' of ${module.constructor.name} is not computed from ${parts.join(', ')}`);
  const value = new Parameter(noGrad.run(() => fields[name]!.detach().clone()));
  for (const part of parts) delete fields[part];
  Object.defineProperty(module, name, { value, enumerable: true, writable: true, configurable: true });
}

/** The norms of the slices along `dim`, which stay as sizes of 1; the norm of the whole tensor if `dim` is null. */
const norms = (v: Tensor, dim: number | null): Tensor =>
  dim === null
    ? v.norm()
    : v.norm(
        2,
        v.shape.map((_, i) => i).filter((i) => i !== dim),
        { keepdim: true },
      );

/**
 * Weight normalization (Salimans and Kingma, 2016): `weight = g v / |v|`, with `weightG` and `weightV` as parameters in
 * place of `weight`, for each slice along `dim`. Gives the module.
 *
 * ```ts
 * const layer = weightNorm(new Linear(3, 2));
 * [...layer.namedParameters()].map(([name]) => name); // ['bias', 'weightG', 'weightV']
 * ```
 */
export function weightNorm<M extends Module>(module: M, options?: { name?: string; dim?: number | null }): M {
  const { name = 'weight', dim = 0 } = checkOptions('weightNorm', options, weightNormOptions);
  const weight = weightOf('weightNorm', module, name);
  const fields = module as unknown as Fields;
  if (dim !== null) checkDim('weightNorm', name, weight, dim);
  delete fields[name];
  fields[`${name}G`] = new Parameter(noGrad.run(() => norms(weight.detach(), dim)));
  fields[`${name}V`] = new Parameter(weight.detach());
  defineComputed(module, name, (own) => {
    const v = own[`${name}V`]!;
    return v.mul(own[`${name}G`]!.div(norms(v, dim)));
  });
  const before = `parametrizations.${snakeCase(name)}`;
  addAliases(module, { [`${name}G`]: `${before}.original0`, [`${name}V`]: `${before}.original1` });
  return module;
}

/**
 * Undoes `weightNorm`: the weight is a parameter again, of the value it has now.
 *
 * ```ts
 * removeWeightNorm(weightNorm(new Linear(3, 2))).weight.shape; // [2, 3]
 * ```
 */
export function removeWeightNorm<M extends Module>(module: M, options?: { name?: string }): M {
  const { name = 'weight' } = checkOptions('removeWeightNorm', options, nameOption);
  removeComputed('removeWeightNorm', module, name, [`${name}G`, `${name}V`]);
  return module;
}

/**
 * Spectral normalization (Miyato et al., 2018): the weight is divided by its largest singular value, which
 * `powerIterations` of the power method estimate anew for each call of the module in training. The weight is a matrix
 * with a row for each slice along `dim`, which is that of the output: 1 for transposed convolutions, otherwise 0. Gives
 * the module.
 *
 * ```ts
 * spectralNorm(new Linear(3, 2))(randn([5, 3])).shape; // [5, 2]
 * ```
 */
export function spectralNorm<M extends Module>(
  module: M,
  options?: { name?: string; powerIterations?: number; eps?: number; dim?: number },
): M {
  const {
    name = 'weight',
    powerIterations = 1,
    eps = 1e-12,
    dim = transposed.some((layer) => module instanceof layer) ? 1 : 0,
  } = checkOptions('spectralNorm', options, spectralNormOptions);
  const weight = weightOf('spectralNorm', module, name);
  if (weight.ndim < 2) throw new TypeError(`spectralNorm: '${name}' of shape ${shapeText(weight)} is no matrix`);
  const fields = module as unknown as Fields;
  checkDim('spectralNorm', name, weight, dim);
  const rows = weight.shape[dim]!;
  const matrixOf = (w: Tensor): Tensor => w.movedim(dim, 0).flatten(1);
  const unit = (v: Tensor): Tensor => v.div(v.norm().clamp(eps));
  const vector = (n: number): Buffer => buffer(unit(randn([n], { dtype: weight.dtype, device: weight.device })));
  delete fields[name];
  fields[`${name}Orig`] = weight;
  fields[`${name}U`] = vector(rows);
  fields[`${name}V`] = vector(weight.numel / rows);
  const iterate = (own: Fields, times: number): void =>
    noGrad.run(() => {
      const w = matrixOf(own[`${name}Orig`]!.detach());
      for (let i = 0; i < times; i++) {
        own[`${name}V`]!.copy_(unit(w.t().matmul(own[`${name}U`]!)));
        own[`${name}U`]!.copy_(unit(w.matmul(own[`${name}V`]!)));
      }
    });
  iterate(fields, 15);
  module.registerForwardPreHook((called) => {
    const own = called as unknown as Fields;
    if (called.training && own[`${name}Orig`]) iterate(own, powerIterations);
  });
  defineComputed(module, name, (own) => {
    const w = own[`${name}Orig`]!;
    // Copies, because the next call changes these and a backward pass may still need them.
    const [u, v] = [own[`${name}U`]!.detach().clone(), own[`${name}V`]!.detach().clone()];
    return w.div(u.dot(matrixOf(w).matmul(v)));
  });
  const before = `parametrizations.${snakeCase(name)}`;
  addAliases(module, {
    [`${name}Orig`]: `${before}.original`,
    [`${name}U`]: `${before}.0._u`,
    [`${name}V`]: `${before}.0._v`,
  });
  return module;
}

/**
 * Undoes `spectralNorm`: the weight is a parameter again, of the value it has now.
 *
 * ```ts
 * removeSpectralNorm(spectralNorm(new Linear(3, 2))).weight.shape; // [2, 3]
 * ```
 */
export function removeSpectralNorm<M extends Module>(module: M, options?: { name?: string }): M {
  const { name = 'weight' } = checkOptions('removeSpectralNorm', options, nameOption);
  removeComputed('removeSpectralNorm', module, name, [`${name}Orig`, `${name}U`, `${name}V`]);
  return module;
}
