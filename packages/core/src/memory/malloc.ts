type Runtime = {
  process?: { versions?: { node?: string } };
  Buffer?: { allocUnsafeSlow?(bytes: number): Uint8Array<ArrayBuffer> };
};
const { process, Buffer } = globalThis as Runtime;

let done = false;

/**
 * glibc asks the system for each large block and gives it back when it is freed. Fresh pages are slow: they cost
 * several times what filling them takes. When such a block is freed, glibc raises its threshold: from then on it keeps
 * free blocks up to that size, in all up to twice as much memory. So one block is freed here before the first large
 * array is made; it is never touched. The way to free an array's memory without waiting for the garbage collector is to
 * send it to a closed port, which drops it at once.
 */
export function keepFreedBlocks(): void {
  if (done) return;
  done = true;
  if (!process?.versions?.node || !Buffer?.allocUnsafeSlow || typeof MessageChannel === 'undefined') return;
  // A little less than 32 MiB, the highest threshold of glibc.
  const { buffer } = Buffer.allocUnsafeSlow(2 ** 25 - 2 ** 16);
  const { port1 } = new MessageChannel();
  port1.close();
  port1.postMessage(buffer, [buffer]);
}
