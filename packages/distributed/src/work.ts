import type { Connection } from './connection.js';

/** A running collective. The main thread can compute meanwhile. */
export class Work<T> {
  #state: 'running' | 'done' | 'failed' = 'running';
  #value!: T;
  #error: Error | null = null;
  #waiting: { resolve(value: T): void; reject(error: Error): void } | null = null;
  #promise: Promise<T> | null = null;

  /** @internal */
  constructor(
    /** The call that it is of. */
    readonly name: string,
    private readonly connection: Connection | null,
    /** Converts the outcome to the result. */
    private readonly finish: (source: number) => T,
  ) {}

  /** Whether it has finished, with a result or an error. */
  get isCompleted(): boolean {
    this.connection?.collect();
    return this.#state !== 'running';
  }

  /** Blocks until the collective is done; returns its result. Throws its error, or after the timeout. */
  wait(): T {
    if (this.#state === 'running') this.connection!.waitFor(this);
    if (this.#state !== 'failed') return this.#value;
    this.connection?.unseen.delete(this);
    throw this.#error!;
  }

  /** A promise of the result, which does not block other flows. */
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

  /** @internal A collective in a world of one rank, which is done at once. */
  static done<T>(name: string, finish: () => T): Work<T> {
    const work = new Work(name, null, finish);
    work.settle(null, 0);
    return work;
  }
}
