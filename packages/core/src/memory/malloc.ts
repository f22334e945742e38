type Runtime = {
  process?: { versions?: { node?: string } };
  Buffer?: { allocUnsafeSlow?(bytes: number): Uint8Array<ArrayBuffer> };
};
const { process, Buffer } = globalThis as Runtime;

let done = false;

/**
 * The C library asks the system for each large block and gives it back when it is freed, and fresh pages are slow: they
 * cost several times what it takes to fill them. glibc changes its mind when a large block that it got so is freed:
 * from then on it keeps blocks up to that size, and twice as much memory in all. So one is freed here, before the first
 * large array is made; it is never touched. A port that is closed drops what it is sent at once, and that is the only
 * way to free an array's memory without waiting for the garbage collector.
 */
export function keepFreedBlocks(): void {
  if (done) return;
  done = true;
  if (!process?.versions?.node || !Buffer?.allocUnsafeSlow || typeof MessageChannel === 'undefined') return;
  // A little less than 32 MiB, beyond which glibc does not go.
  const { buffer } = Buffer.allocUnsafeSlow(2 ** 25 - 2 ** 16);
  const { port1 } = new MessageChannel();
  port1.close();
  port1.postMessage(buffer, [buffer]);
}
