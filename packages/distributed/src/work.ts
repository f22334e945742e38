import type { Connection } from './connection.js';

/** A collective under way. The main thread may compute meanwhile. */
export class Work<T> {
  #state: 'running' | 'done' | 'failed' = 'running';
  #value!: T;
  #error: Error | null = null;
  #waiting: { resolve(value: T): void; reject(error: Error): void } | null = null;
  #promise: Promise<T> | null = null;

  /** @internal */
  constructor(
    readonly name: string,
    private readonly connection: Connection | null,
    /** Brings the result to where it belongs, once it is there. */
    private readonly finish: (source: number) => T,
  ) {}

  /** Whether the result is there, or an error. */
  get isCompleted(): boolean {
    this.connection?.collect();
    return this.#state !== 'running';
  }

  /** Blocks until the collective is done, and gives its result. Throws what went wrong, or after the timeout. */
  wait(): T {
    if (this.#state === 'running') this.connection!.waitFor(this);
    if (this.#state !== 'failed') return this.#value;
    this.connection?.unseen.delete(this);
    throw this.#error!;
  }

  /** The result, without blocking: what other flows do goes on meanwhile. */
  get promise(): Promise<T> {
    this.connection?.unseen.delete(this);
    this.#promise ??= new Promise<T>((resolve, reject) => {
      if (this.#state === 'done') resolve(this.#value);
      else if (this.#state === 'failed') reject(this.#error!);
      else {
        this.#waiting = { resolve, reject };
        this.connection!.listen();
      }
    });
    return this.#promise;
  }

  /** @internal */
  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** @internal */
  settle(error: Error | null, source: number): void {
    if (this.#state !== 'running') return;
    try {
      if (error) throw error;
      this.#value = this.finish(source);
      this.#state = 'done';
      this.#waiting?.resolve(this.#value);
    } catch (reason) {
      this.#error = reason as Error;
      this.#state = 'failed';
      if (this.#waiting) this.#waiting.reject(this.#error);
      else this.connection?.unseen.add(this);
    }
  }

  /** @internal */
  get error(): Error | null {
    return this.#error;
  }

  /** @internal A collective of one rank, which is done at once. */
  static done<T>(name: string, finish: () => T): Work<T> {
    const work = new Work(name, null, finish);
    work.settle(null, 0);
    return work;
  }
}
