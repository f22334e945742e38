import { check, is } from '@gradgate/core/internal';
import { fileSystem } from '../files.js';

// No system allows NUL in a path.
const path = { text: 'a path', is: (v: unknown) => typeof v === 'string' && v !== '' && !v.includes('\0') };

export const checkTarget = (op: string, target: unknown): void =>
  check(op, 'the target', target, is.either(path, is.callback));

/** The target of bytes: a file, which is appended to, or a function. Writes are made one after another. */
export class Sink {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly op: string,
    private readonly target: string | ((bytes: Uint8Array) => unknown),
  ) {
    checkTarget(op, target);
  }

  /** Writes `given` after all that was passed before, also where it is still being made. */
  write(given: Uint8Array | Promise<Uint8Array>): Promise<void> {
    const { target } = this;
    const written = Promise.all([given, this.last]).then(([bytes]) =>
      typeof target === 'string' ? append(this.op, target, bytes) : target(bytes),
    );
    // The caller gets the error; later writes are tried nevertheless.
    this.last = written.catch(() => {});
    return written.then(() => {});
  }

  async close(): Promise<void> {
    await this.last;
  }
}

async function append(op: string, path: string, bytes: Uint8Array): Promise<void> {
  const { appendFile, mkdir } = fileSystem(op);
  const end = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  if (end > 0) await mkdir(path.slice(0, end), { recursive: true });
  await appendFile(path, bytes);
}
