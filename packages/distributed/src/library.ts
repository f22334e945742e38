import { requireInstalled } from '@gradgate/core/internal';
import type { LibraryHandle } from 'koffi';

/** A handle of MPI: an address in Open MPI, a number in MPICH and in the standard ABI of MPI 5. */
export type Handle = number | bigint;

/** The element types that MPI can reduce. */
export type Element = 'float32' | 'float64' | 'int8' | 'uint8' | 'int16' | 'int32' | 'int64';
export type Op = 'sum' | 'product' | 'min' | 'max';

/** The constants in which libraries differ: `mpi.h` defines them, and no function returns them. */
interface Constants {
  readonly handle: 'int' | 'intptr_t';
  readonly world: Handle;
  readonly errorsReturn: Handle;
  readonly types: Readonly<Record<Element, Handle>>;
  readonly ops: Readonly<Record<Op, Handle>>;
  readonly anySource: number;
  /** MPI_THREAD_FUNNELED: one thread makes all calls. */
  readonly funneled: number;
  /** The index of the source among the integers of a status. */
  readonly sourceAt: number;
}

export type Kind = 'Open MPI' | 'MPICH' | 'MPI ABI';

const mpich: Constants = {
  handle: 'int',
  world: 0x44000000,
  errorsReturn: 0x54000001,
  types: {
    float32: 0x4c00040a,
    float64: 0x4c00080b,
    int8: 0x4c000137,
    uint8: 0x4c00013b,
    int16: 0x4c000238,
    int32: 0x4c000439,
    int64: 0x4c00083a,
  },
  ops: { max: 0x58000001, min: 0x58000002, sum: 0x58000003, product: 0x58000004 },
  anySource: -2,
  funneled: 1,
  sourceAt: 2,
};

/** MPI 5.0, chapter on the application binary interface. */
const abi: Constants = {
  handle: 'intptr_t',
  world: 0x101,
  errorsReturn: 0x142,
  types: {
    float32: 0x210,
    float64: 0x214,
    int8: 0x240,
    uint8: 0x241,
    int16: 0x248,
    int32: 0x250,
    int64: 0x258,
  },
  ops: { sum: 0x21, min: 0x22, max: 0x23, product: 0x24 },
  anySource: -1,
  funneled: 1024,
  sourceAt: 0,
};

/** Open MPI's handles are the addresses of its variables. */
function openMpi(at: (name: string) => Handle): Constants {
  return {
    handle: 'intptr_t',
    world: at('ompi_mpi_comm_world'),
    errorsReturn: at('ompi_mpi_errors_return'),
    types: {
      float32: at('ompi_mpi_float'),
      float64: at('ompi_mpi_double'),
      int8: at('ompi_mpi_int8_t'),
      uint8: at('ompi_mpi_uint8_t'),
      int16: at('ompi_mpi_int16_t'),
      int32: at('ompi_mpi_int32_t'),
      int64: at('ompi_mpi_int64_t'),
    },
    ops: {
      sum: at('ompi_mpi_op_sum'),
      product: at('ompi_mpi_op_prod'),
      min: at('ompi_mpi_op_min'),
      max: at('ompi_mpi_op_max'),
    },
    anySource: -1,
    funneled: 1,
    sourceAt: 0,
  };
}

/** The launcher of this process, from its environment variables. */
export interface Launched {
  /** The launcher's name. */
  readonly by: string;
  /** The libraries whose ranks it can start; the first one is the most likely. */
  readonly kinds: readonly Kind[];
  /** The number of ranks, if the variables have it. */
  readonly size: number | null;
}

/**
 * Finds the launcher that started this process as a rank; null if there is none. Throws for tasks that cannot find each
 * other.
 */
export function launchedBy(env: NodeJS.ProcessEnv): Launched | null {
  const number = (text: string | undefined) => (text === undefined ? null : Number(text));
  if (env['OMPI_COMM_WORLD_SIZE'] !== undefined)
    return { by: "Open MPI's mpirun", kinds: ['Open MPI'], size: number(env['OMPI_COMM_WORLD_SIZE']) };
  if (env['PMI_SIZE'] !== undefined || env['PMI_RANK'] !== undefined)
    return env['SLURM_JOB_ID'] === undefined
      ? { by: "MPICH's mpiexec", kinds: ['MPICH'], size: number(env['PMI_SIZE']) }
      : { by: "srun or MPICH's mpiexec", kinds: ['MPICH', 'Open MPI'], size: number(env['PMI_SIZE']) };
  if (env['PMIX_RANK'] !== undefined)
    return { by: 'a launcher that speaks PMIx', kinds: ['Open MPI', 'MPICH'], size: null };
  const tasks = number(env['SLURM_STEP_NUM_TASKS']) ?? 1;
  if (tasks > 1)
    throw new Error(
      `init: srun started ${tasks} tasks, and did not tell them how to find each other: each would train alone; start them with --mpi=pmix for Open MPI or --mpi=pmi2 for MPICH`,
    );
  return null;
}

const files: Readonly<Record<Kind, readonly string[]>> =
  process.platform === 'darwin'
    ? {
        'Open MPI': ['libmpi.dylib'],
        MPICH: ['libmpi.dylib', 'libmpich.dylib'],
        'MPI ABI': ['libmpi_abi.1.dylib', 'libmpi_abi.dylib'],
      }
    : {
        'Open MPI': ['libmpi.so.40', 'libmpi.so'],
        MPICH: ['libmpich.so.12', 'libmpi.so.12'],
        // MPICH 5.0 names version 0, other libraries version 1.
        'MPI ABI': ['libmpi_abi.so.1', 'libmpi_abi.so.0'],
      };

/** The files to try; the launcher's library comes first. */
function candidates(launched: Launched | null, env: NodeJS.ProcessEnv): readonly string[] {
  const named = env['GRADGATE_MPI'];
  if (named) return [named];
  const kinds: Kind[] = [...(launched?.kinds ?? ['Open MPI', 'MPICH']), 'MPI ABI'];
  return kinds.flatMap((kind) => files[kind]);
}

export interface Library {
  readonly kind: Kind;
  /** The first line of the library's version text. */
  readonly version: string;
  readonly constants: Constants;
  /** Binds a function by its C signature, in which `HANDLE` is replaced by the type of handles. */
  bind(signature: string): (...args: any[]) => number;
}

/** Loads the MPI library of the launcher; throws for another one, whose ranks would not find each other. */
export function openLibrary(launched: Launched | null, env: NodeJS.ProcessEnv = process.env): Library {
  // Not a static import, which would throw uncaught on platforms without a binary of koffi.
  const koffi = requireInstalled(new Error(), 'koffi') as typeof import('koffi');
  const tried: string[] = [];
  for (const file of candidates(launched, env)) {
    let library: LibraryHandle;
    try {
      // MPI's plugins search its symbols in the whole process.
      library = koffi.load(file, { global: true } as never);
    } catch (error) {
      tried.push(`${file}: ${String((error as Error).message).replaceAll(/\s+/g, ' ')}`);
      continue;
    }
    const version = versionOf(library);
    const kind: Kind = file.includes('mpi_abi') ? 'MPI ABI' : /open mpi/i.test(version) ? 'Open MPI' : 'MPICH';
    if (launched && kind !== 'MPI ABI' && !launched.kinds.includes(kind))
      throw new Error(
        `${file} is ${kind} (${version}), but this rank was started by ${launched.by}; name the library of the launcher in GRADGATE_MPI, or start the program with the launcher of ${kind}`,
      );
    const constants =
      kind === 'Open MPI'
        ? openMpi((name) => koffi.address(library.symbol(name, 'int')))
        : kind === 'MPICH'
          ? mpich
          : abi;
    return {
      kind,
      version,
      constants,
      bind: (signature) => library.func(signature.replaceAll('HANDLE', constants.handle)) as never,
    };
  }
  throw new Error(
    `no MPI library could be loaded (${tried.join('; ')}); install Open MPI or MPICH, such as Debian's openmpi-bin or mpich, or name the library's file in GRADGATE_MPI`,
  );
}

function versionOf(library: LibraryHandle): string {
  const [text, length] = [Buffer.alloc(8192), new Int32Array(1)];
  (library.func('int MPI_Get_library_version(void *text, void *length)') as (...args: unknown[]) => number)(
    text,
    length,
  );
  return text
    .toString('latin1', 0, length[0])
    .split(/[\0\n]/)[0]!
    .trim();
}
