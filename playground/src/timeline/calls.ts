import { gradModeStack, isGradEnabled } from '@gradgate/core';

/** The methods that each scene of the page shows. */
export const scenes = {
  training: ['step', 'forward', 'features', 'surface', 'slope'],
  digits: ['classify'],
  waiting: ['score'],
} as const;
export type Scene = keyof typeof scenes;
export type Method = (typeof scenes)[Scene][number];

export interface Call {
  /** Counted from 1 in each scene. */
  readonly number: number;
  readonly method: Method;
  /** Whether gradients were on inside the method. */
  readonly on: boolean;
  /** The gates in force, innermost first: `noGrad on features`. */
  readonly gates: readonly string[];
}

/** The number of calls kept for each scene. */
export const kept = 36;

const recent = new Map<Scene, Call[]>();
const counts = new Map<Scene, number>();

/** A method reports that it runs: called inside it, this reads the mode there. The page highlights the next line. */
export function note(method: Method): void {
  const scene = (Object.keys(scenes) as Scene[]).find((s) => (scenes[s] as readonly Method[]).includes(method))!;
  const gates = gradModeStack().map(({ kind, member }) => (member ? `${kind} on ${member}` : kind));
  const number = (counts.get(scene) ?? 0) + 1;
  counts.set(scene, number);
  recent.set(scene, [...recentCalls(scene), { number, method, on: isGradEnabled(), gates }].slice(-kept));
}

export const recentCalls = (scene: Scene): readonly Call[] => recent.get(scene) ?? [];

export function forgetCalls(scene: Scene): void {
  recent.delete(scene);
  counts.delete(scene);
}

/** A call in words. */
export const describe = ({ number, method, on, gates }: Call): string =>
  `call ${number}, ${method}: gradients ${on ? 'on' : 'off'}; in force: ${gates.join(', then ') || 'no gate'}`;
