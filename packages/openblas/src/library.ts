import { requireInstalled } from '@gradgate/core/internal';

/** `cblas_sgemm` or `cblas_dgemm`: order, transposes, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc. */
export type Gemm = (
  order: number,
  transA: number,
  transB: number,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: Float32Array | Float64Array,
  lda: number,
  b: Float32Array | Float64Array,
  ldb: number,
  beta: number,
  c: Float32Array | Float64Array,
  ldc: number,
) => void;

export interface Library {
  readonly sgemm: Gemm;
  readonly dgemm: Gemm;
  setThreads(n: number): void;
}

/** Loads OpenBLAS; null, after one line on the console that says what is missing, if it cannot. */
export function openLibrary(): Library | null {
  // A file that was named and does not load is an error: using another library instead would go unnoticed.
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const file =
    process?.env?.['GRADGATE_OPENBLAS'] || (process?.platform === 'darwin' ? 'libopenblas.dylib' : 'libopenblas.so.0');
  let advice = 'Install the package koffi where this program runs: it cannot be in a bundle.';
  try {
    // Not a static import, which would throw uncaught on platforms without a binary of koffi.
    const koffi = requireInstalled(new Error(), 'koffi') as typeof import('koffi');
    advice = 'Install the Debian package libopenblas0, or name a library file in GRADGATE_OPENBLAS.';
    return declare(koffi, file);
  } catch (error) {
    const reason = String((error as Error)?.message ?? error).replaceAll(/\s+/g, ' ');
    console.warn(`@gradgate/openblas: no OpenBLAS in ${file} (${reason}); the embedded kernels go on. ${advice}`);
    return null;
  }
}

function declare(koffi: typeof import('koffi'), file: string): Library {
  const library = koffi.load(file);
  const config: string = library.func('const char *openblas_get_config(void)')();
  const int = config.includes('USE64BITINT') ? 'int64_t' : 'int';
  const gemm = (name: string, real: string) =>
    library.func(
      `void ${name}(int order, int transA, int transB, ${int} m, ${int} n, ${int} k, ${real} alpha, ` +
        `${real} *a, ${int} lda, ${real} *b, ${int} ldb, ${real} beta, ${real} *c, ${int} ldc)`,
    ) as Gemm;
  return {
    sgemm: gemm('cblas_sgemm', 'float'),
    dgemm: gemm('cblas_dgemm', 'double'),
    setThreads: library.func('void openblas_set_num_threads(int n)'),
  };
}
