/** The modes of random programs: how each gate changes the expected modes, and how the actual ones are read. */
import type * as Core from '@gradgate/core';
import type * as Nn from '@gradgate/nn';

export type Api = typeof Core & Pick<typeof Nn, 'functionalCall' | 'Module' | 'Parameter'>;

/** The expected modes. */
export interface Mode {
  readonly enabled: boolean;
  readonly inference: boolean;
  /** Modes that a user defines. */
  readonly level: number;
  readonly tags: string;
  /** The expected mode of layers; null if the module decides. */
  readonly training: boolean | null;
  /** How many of two parameters are frozen. */
  readonly frozen: 0 | 1 | 2;
  /** The value expected in place of the module's parameter. */
  readonly weight: number;
  readonly anomaly: boolean;
  /** Which hooks are in force on saved tensors. */
  readonly hooks: string;
  /** Draws the number that the current generator must give. */
  readonly random: Core.Generator;
}

export const gateNames = [
  'noGrad',
  'enableGrad',
  'inferenceMode',
  'modeOn',
  'modeOff',
  'low',
  'high',
  'tag',
  'both',
  'evalMode',
  'trainMode',
  'evaluating',
  'freezeOne',
  'freezeBoth',
  'anomalyMode',
  'hooksA',
  'hooksB',
  'seeded',
  'generator',
] as const;

/** A gate, or the call of a module with other weights. */
export type GateName = (typeof gateNames)[number] | 'weights';

/** The modes of one program. */
export class Modes {
  readonly level: Core.Mode<number>;
  readonly gates: Record<Exclude<GateName, 'modeOn' | 'modeOff' | 'weights'>, Core.Gate>;
  readonly initial: Mode;
  readonly #tags: Core.Mode<string>;
  readonly #parameters: [Core.Tensor, Core.Tensor];
  readonly #module: Nn.Module & { readonly scale: Core.Tensor };
  readonly #shared: Core.Generator;
  #packed = '';

  /** `random` draws the same numbers as the default generator, which concurrent programs share. */
  constructor(
    private readonly api: Api,
    random: Core.Generator,
  ) {
    const { defineMode, combineGates, freezing, savedTensorsHooks, forkRng, tensor, Generator } = api;
    const level = defineMode('model.level', 0);
    const tags = defineMode('model.tags', '');
    const [p, q] = [1, 2].map((value) => tensor([value], { requiresGrad: true })) as [Core.Tensor, Core.Tensor];
    const hooks = (name: string) =>
      savedTensorsHooks({
        pack: (t) => {
          this.#packed = name;
          return t;
        },
        unpack: (t) => t,
      });
    const high = level.gate('high', 2);
    const tag = tags.gateWith('tag', ({ outer }, text: string) => outer + text)('t');
    this.gates = {
      noGrad: api.noGrad,
      enableGrad: api.enableGrad,
      inferenceMode: api.inferenceMode,
      low: level.gate('low', 1),
      high,
      tag,
      both: combineGates('both', api.noGrad, high, tag),
      evalMode: api.evalMode,
      trainMode: api.trainMode,
      evaluating: api.evaluating,
      freezeOne: freezing(p),
      freezeBoth: freezing(() => [p, q]),
      anomalyMode: api.anomalyMode,
      hooksA: hooks('A'),
      hooksB: hooks('B'),
      seeded: forkRng(7),
      generator: forkRng(new Generator(8)),
    };
    this.level = level;
    this.#tags = tags;
    this.#parameters = [p, q];
    this.#shared = new Generator(8);
    class Weighted extends api.Module {
      readonly scale = new api.Parameter(tensor([1]));
      override forward(fn: () => unknown): unknown {
        return fn();
      }
    }
    this.#module = new Weighted();
    this.initial = {
      enabled: true,
      inference: false,
      level: 0,
      tags: '',
      training: null,
      frozen: 0,
      weight: 1,
      anomaly: false,
      hooks: '',
      random,
    };
  }

  /** Calls `fn` in a module with another weight. */
  callWithWeight(weight: number, fn: () => unknown): any {
    return this.api.functionalCall(this.#module, { scale: this.api.tensor([weight]) }, fn);
  }

  /** The modes inside a gate; null if the gate refuses. */
  inside(name: GateName, when: boolean, mode: Mode): Mode | null {
    if (name === 'modeOn' || name === 'modeOff') {
      const enabled = (name === 'modeOn') === when;
      return enabled && mode.inference ? null : { ...mode, enabled };
    }
    if (!when) return mode;
    switch (name) {
      case 'noGrad':
        return { ...mode, enabled: false };
      case 'enableGrad':
        return mode.inference ? null : { ...mode, enabled: true };
      case 'inferenceMode':
        return { ...mode, enabled: false, inference: true };
      case 'low':
        return { ...mode, level: 1 };
      case 'high':
        return { ...mode, level: 2 };
      case 'tag':
        return { ...mode, tags: `${mode.tags}t` };
      case 'both':
        return { ...mode, enabled: false, level: 2, tags: `${mode.tags}t` };
      case 'evalMode':
        return { ...mode, training: false };
      case 'trainMode':
        return { ...mode, training: true };
      case 'evaluating':
        return { ...mode, enabled: false, training: false };
      case 'freezeOne':
        return { ...mode, frozen: mode.frozen === 2 ? 2 : 1 };
      case 'freezeBoth':
        return { ...mode, frozen: 2 };
      case 'anomalyMode':
        return { ...mode, anomaly: true };
      case 'hooksA':
        return { ...mode, hooks: 'A' };
      case 'hooksB':
        return { ...mode, hooks: 'B' };
      case 'seeded':
        return { ...mode, random: new this.api.Generator(7) };
      case 'generator':
        return { ...mode, random: this.#shared };
      case 'weights':
        return { ...mode, weight: mode.weight + 1 };
    }
  }

  /**
   * The difference between actual and expected modes, as text; null if they are the same. It draws a random number from each
   * side.
   */
  difference(mode: Mode): string | null {
    const { api } = this;
    const [p, q] = this.#parameters;
    const [isP, isQ] = [p.requiresGrad, q.requiresGrad];
    this.#packed = '';
    const y = p.mul(p);
    const is = {
      enabled: api.isGradEnabled(),
      inference: api.isInferenceMode(),
      level: this.level.get(),
      tags: this.#tags.get(),
      training: `${api.isTraining(true)} ${api.isTraining(false)} ${this.#module.training}`,
      frozen: `${!isP} ${!isQ}`,
      weight: this.#module.scale.item(),
      recorded: y.requiresGrad,
      inferred: y.inference,
      anomaly: y.gradFn !== null && y.gradFn.stack !== null,
      hooks: this.#packed,
      random: api.currentGenerator().uniform(),
    };
    const { enabled, inference, level, tags, training, frozen, weight, anomaly, hooks, random } = mode;
    const recorded = enabled && frozen === 0;
    const should: typeof is = {
      enabled,
      inference,
      level,
      tags,
      training: `${training ?? true} ${training ?? false} ${training ?? true}`,
      frozen: `${frozen > 0} ${frozen > 1}`,
      weight,
      recorded,
      inferred: inference,
      anomaly: recorded && anomaly,
      hooks: recorded ? hooks : '',
      random: random.uniform(),
    };
    const wrong = (Object.keys(is) as (keyof typeof is)[]).filter((name) => is[name] !== should[name]);
    return wrong.length === 0 ? null : wrong.map((name) => `${name} is ${is[name]} and not ${should[name]}`).join(', ');
  }
}
