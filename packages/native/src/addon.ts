import { builtin, installedFile, type NativeKernels } from '@gradgate/core/internal';
import type { WeakReferences } from './results.js';

/** The exports of `c/addon.c`. */
interface Binary extends WeakReferences {
  /** The instruction set of the kernels; empty if the processor has none of those that there are kernels for. */
  readonly target: string;
  /** Undefined if Node has no memory for it. */
  attach(bytes: Uint8Array): ReturnType<NativeKernels['attach']> | undefined;
}

export interface Addon extends NativeKernels {
  readonly target: string;
  readonly references: WeakReferences;
}

/** The platforms with a binary. */
const platforms = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'];

/** Loads the addon for this platform; null, after one line on the console that says what is missing, if it cannot. */
export function loadAddon(): Addon | null {
  try {
    return load();
  } catch (error) {
    const reason = String((error as Error)?.message ?? error).replaceAll(/\s+/g, ' ');
    console.warn(`@gradgate/native: ${reason}; the kernels in WebAssembly go on.`);
    return null;
  }
}

function load(): Addon {
  const { process } = globalThis as { process?: { platform: string; arch: string } };
  const modules = builtin<typeof import('node:module')>('node:module');
  if (!process || !modules) throw new Error('needs Node, or a runtime that loads its addons');
  const platform = `${process.platform}-${process.arch}`;
  if (!platforms.includes(platform)) throw new Error(`has no binary for ${platform}, only for ${platforms.join(', ')}`);
  const url = installedFile(new Error(), '@gradgate/native', `prebuilds/${platform}.node`);
  if (!url) throw new Error('is not installed where this program runs: a bundle cannot bring it');
  const file = builtin<typeof import('node:url')>('node:url')!.fileURLToPath(url);
  const binary = modules.createRequire(file)(file) as Binary;
  if (binary.target === '') throw new Error('this processor lacks SSE 4.2');
  return { file, target: binary.target, references: binary, attach: (bytes) => binary.attach(bytes) ?? {} };
}
