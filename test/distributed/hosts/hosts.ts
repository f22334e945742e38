import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findProgram, need } from '../../needs.js';

const ip = (line: string): void => void execFileSync('ip', line.split(' '), { stdio: 'pipe' });

let count = 0;

/** Several hosts on this machine: network namespaces on a bridge, in which a stand-in for ssh starts programs. */
export class Hosts {
  /** The addresses of the hosts. */
  readonly addresses: readonly string[];
  readonly name = `gg${process.pid % 100000}${'abcdefgh'[count]}`;
  readonly #subnet = `10.${100 + (process.pid % 100)}.${count++}`;

  constructor(size: number) {
    const numbers = Array.from({ length: size }, (_, i) => i + 1);
    this.addresses = numbers.map((i) => `${this.#subnet}.${i}`);
    ip(`link add ${this.name} type bridge`);
    ip(`addr add ${this.#subnet}.254/24 dev ${this.name}`);
    ip(`link set ${this.name} up`);
    for (const i of numbers) {
      const namespace = `${this.name}-${i}`;
      ip(`netns add ${namespace}`);
      ip(`link add ${namespace} type veth peer name eth0 netns ${namespace}`);
      ip(`link set ${namespace} master ${this.name} up`);
      ip(`-n ${namespace} addr add ${this.#subnet}.${i}/24 dev eth0`);
      ip(`-n ${namespace} link set lo up`);
      ip(`-n ${namespace} link set eth0 up`);
    }
  }

  /** The environment by which programs find the hosts, and the launcher's arguments. */
  get env(): Record<string, string> {
    // UCX would see through the namespaces and use shared memory.
    return { GRADGATE_TEST_HOSTS: this.name, UCX_TLS: 'tcp,self' };
  }

  argumentsFor(mpirun: string): string[] {
    const ssh = fileURLToPath(new URL('ssh.sh', import.meta.url));
    const network = `${this.#subnet}.0/24`;
    const own = /openmpi/.test(mpirun)
      ? `--mca plm_rsh_agent ${ssh} --mca btl_tcp_if_include ${network} --mca oob_tcp_if_include ${network} --mca btl self,tcp`
      : `-launcher ssh -launcher-exec ${ssh} -localhost ${this.#subnet}.254`;
    return ['--hosts', this.addresses.join(), ...own.split(' ').map((argument) => `--mpirun-arg=${argument}`)];
  }

  /** Cuts off a host, counted from 0. */
  disconnect(i: number): void {
    ip(`link set ${this.name}-${i + 1} down`);
  }

  remove(): void {
    for (let i = 1; i <= this.addresses.length; i++) {
      ip(`link del ${this.name}-${i}`);
      ip(`netns del ${this.name}-${i}`);
    }
    ip(`link del ${this.name}`);
  }
}

/** The program that makes hosts: Linux's `ip`, as root. */
export const needHosts = (tests: string): true | undefined =>
  need(
    (findProgram('ip') && findProgram('unshare') && process.getuid?.() === 0) || undefined,
    tests,
    'network namespaces take root, ip (iproute2) and unshare (util-linux)',
  );
