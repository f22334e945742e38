/**
 * Builds the addon for one platform, or for all of them:
 *
 *   npm run build:native                       for this machine
 *   npm run build:native -- --all              for linux, darwin and win32
 *   npm run build:native -- linux-arm64 ...    for those named
 *
 * Needs clang and lld (Debian: `clang`, `lld`, `llvm`), and no libraries or headers of the platforms. The binaries go into
 * `prebuilds`, all of which are published in one package: they are small, and need no libc, so that one serves glibc and musl.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const x64 = {
  sse: ['-march=x86-64-v2'],
  avx2: ['-march=x86-64-v3', '-mprefer-vector-width=256'],
  avx512: ['-march=x86-64-v4', '-mprefer-vector-width=512'],
};
const arm64 = { neon: [] };

/** A platform's name for the compiler, its instruction sets, and how its libraries are linked. */
const platforms = {
  'linux-x64': { target: 'x86_64-unknown-linux-gnu', sets: x64, link: elf },
  'linux-arm64': { target: 'aarch64-unknown-linux-gnu', sets: arm64, link: elf },
  'darwin-arm64': { target: 'arm64-apple-macos11', sets: arm64, link: machO },
  'win32-x64': { target: 'x86_64-pc-windows-msvc', sets: x64, link: dll },
};

const sources = fileURLToPath(new URL('../c', import.meta.url));
const flags = [
  '-std=c11',
  '-O3',
  '-ffreestanding',
  // Products and sums are rounded separately unless a kernel fuses them; else tails would differ from whole vectors.
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-fvisibility=hidden',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-psabi',
];

const run = (program, args) => execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });

function elf(objects, out) {
  run('ld.lld', ['-shared', '--gc-sections', '--strip-all', '-z', 'noexecstack', '-o', out, ...objects]);
}

function machO(objects, out) {
  const platform = ['-platform_version', 'macos', '11.0', '11.0', '-arch', 'arm64'];
  run('lld', [
    '-flavor',
    'darwin',
    '-bundle',
    '-undefined',
    'dynamic_lookup',
    '-adhoc_codesign',
    ...platform,
    '-o',
    out,
    ...objects,
  ]);
}

function dll(objects, out, folder) {
  const imports = join(folder, 'node.lib');
  run('llvm-dlltool', ['-m', 'i386:x86-64', '-d', join(sources, 'node.def'), '-l', imports]);
  run('lld-link', ['/dll', '/nodefaultlib', '/entry:_DllMainCRTStartup', `/out:${out}`, imports, ...objects]);
}

function build(name) {
  const platform = platforms[name];
  if (!platform) throw new RangeError(`no platform "${name}", there are ${Object.keys(platforms).join(', ')}`);
  const { target, sets, link } = platform;
  const folder = mkdtempSync(join(tmpdir(), 'gradgate-native-'));
  const pic = name.startsWith('win32') ? [] : ['-fPIC'];
  const compile = (source, object, more) => {
    const out = join(folder, `${object}.o`);
    run('clang', [`--target=${target}`, ...flags, ...pic, ...more, '-c', join(sources, source), '-o', out]);
    return out;
  };
  try {
    const objects = Object.entries(sets).map(([set, more]) => compile('kernels.c', set, [...more, `-DTARGET=${set}`]));
    objects.push(compile('addon.c', 'addon', []));
    const built = join(folder, `${name}.node`);
    link(objects, built, folder);
    const out = fileURLToPath(new URL(`../prebuilds/${name}.node`, import.meta.url));
    mkdirSync(dirname(out), { recursive: true });
    // Renamed in one step: a process that has loaded the old one keeps it.
    cpSync(built, `${out}.new`);
    renameSync(`${out}.new`, out);
    console.log(`${name}: ${statSync(out).size} bytes`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const wanted = process.argv.slice(2);
const here = `${process.platform}-${process.arch}`;
for (const name of wanted.includes('--all') ? Object.keys(platforms) : wanted.length > 0 ? wanted : [here]) build(name);
