import type { HostStorage } from '../host/storage.js';
import type { View } from '../kernels.js';
import type { BinaryKernel, UnaryKernel } from './elementwise.js';
import { checkLength, isInKernelMemory, type KernelMemory, kernelMemory } from './memory.js';
import { binaryKernels, unaryKernels } from './names.js';

/** An operand or result in a chain: the elements of a view, one element for all, or values that only the chain uses. */
export interface Place {
  /** Null where only the chain uses it: then no more than one block of it exists at a time. */
  readonly view: View | null;
  readonly isScalar: boolean;
  /** Whether the chain reads it, and whether it writes it. */
  isRead: boolean;
  isWritten: boolean;
}

/** A function of a chain, which has a kernel. Operands and result are indices into the chain's places. */
export interface Link {
  readonly name: ElementwiseKernel;
  readonly operands: readonly number[];
  readonly result: number;
  readonly parameters: readonly number[];
}

/** Elementwise functions, one after the other, over the same `n` elements. */
export interface Chain {
  readonly links: readonly Link[];
  readonly places: readonly Place[];
  readonly n: number;
}

type ElementwiseKernel = UnaryKernel | BinaryKernel;

const kernels: ReadonlySet<string> = new Set([...unaryKernels, ...binaryKernels]);

/** Whether an elementwise function has a kernel. */
export const hasKernel = (name: string): name is ElementwiseKernel => kernels.has(name);

/** A chain runs on so many elements at a time: its values for these stay in the processor's cache. */
const block = 4096;

/** The addresses of a chain's places in a call, and how far each moves per element. */
interface Located {
  readonly addresses: number[];
  readonly steps: number[];
  /** Places on the JavaScript heap, which are copied in and out. */
  readonly outside: number[];
}

function locate({ links, places, n }: Chain, memory: KernelMemory): Located {
  memory.begin(links[0]!.name, places.length * block * 4);
  const held = memory.take(places.length * block * 4);
  const [addresses, steps, outside] = [places.map((_, i) => held + i * block * 4), places.map(() => 0), [] as number[]];
  for (let i = 0; i < places.length; i++) {
    const { view, isScalar } = places[i]!;
    if (view === null) continue;
    const data = (view.storage as HostStorage).data as Float32Array;
    checkLength(links[0]!.name, data, view.offset + (isScalar ? 1 : n));
    if (isScalar) memory.fill(addresses[i]!, data[view.offset]!, Math.min(n, block));
    else if (isInKernelMemory(data)) {
      addresses[i] = data.byteOffset + view.offset * 4;
      steps[i] = 4;
    } else outside.push(i);
  }
  return { addresses, steps, outside };
}

/** Runs a chain block by block. The results are those of the functions one after the other, to the last bit. */
export function runChain(chain: Chain): void {
  const { links, places, n } = chain;
  const memory = kernelMemory();
  const { addresses, steps, outside } = locate(chain, memory);
  const arrayOf = (i: number) => (places[i]!.view!.storage as HostStorage).data as Float32Array;
  const { kernels } = memory.instance;
  for (let from = 0; from < n; from += block) {
    const count = Math.min(block, n - from);
    const at = (i: number): number => addresses[i]! + steps[i]! * from;
    for (const i of outside)
      if (places[i]!.isRead) memory.write(addresses[i]!, arrayOf(i), places[i]!.view!.offset + from, count);
    for (const { name, operands, result, parameters } of links) {
      const first = parameters.length > 0 ? parameters[0]! : 0;
      const second = parameters.length > 1 ? parameters[1]! : 0;
      const run = kernels[name] as (...numbers: number[]) => void;
      if (operands.length === 1) run(at(result), at(operands[0]!), count, first, second);
      else run(at(result), at(operands[0]!), at(operands[1]!), count, first, second);
    }
    for (const i of outside) if (places[i]!.isWritten) memory.get(addresses[i]!, arrayOf(i), from, count);
  }
}
