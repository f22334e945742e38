import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const run = (line) => execFileSync(line.split(' ')[0], line.split(' ').slice(1), { stdio: 'pipe' });

/** Network namespaces on a bridge, as hosts for ranks of Open MPI; each has a link of `megabytes` a second in both directions. */
export class SlowHosts {
  #name = `gs${process.pid % 100000}`;
  #subnet = `10.${200 + (process.pid % 50)}.7`;
  #size;

  constructor(size, megabytes) {
    this.#size = size;
    run(`ip link add ${this.#name} type bridge`);
    run(`ip addr add ${this.#subnet}.254/24 dev ${this.#name}`);
    run(`ip link set ${this.#name} up`);
    const limit = `root tbf rate ${megabytes * 8}mbit burst 256kb latency 50ms`;
    for (let i = 1; i <= size; i++) {
      const host = `${this.#name}-${i}`;
      run(`ip netns add ${host}`);
      run(`ip link add ${host} type veth peer name eth0 netns ${host}`);
      run(`ip link set ${host} master ${this.#name} up`);
      run(`ip -n ${host} addr add ${this.#subnet}.${i}/24 dev eth0`);
      run(`ip -n ${host} link set lo up`);
      run(`ip -n ${host} link set eth0 up`);
      run(`tc qdisc add dev ${host} ${limit}`);
      run(`tc -n ${host} qdisc add dev eth0 ${limit}`);
    }
  }

  /** The environment by which the stand-in for ssh finds the hosts. */
  get env() {
    return { GRADGATE_TEST_HOSTS: this.#name, UCX_TLS: 'tcp,self' };
  }

  /** The arguments of `gradgate launch`. */
  get arguments() {
    const ssh = fileURLToPath(new URL('../test/distributed/hosts/ssh.sh', import.meta.url));
    const network = `${this.#subnet}.0/24`;
    const own = `--mca plm_rsh_agent ${ssh} --mca btl_tcp_if_include ${network} --mca oob_tcp_if_include ${network} --mca btl self,tcp`;
    const addresses = Array.from({ length: this.#size }, (_, i) => `${this.#subnet}.${i + 1}`);
    return ['--hosts', addresses.join(), ...own.split(' ').map((argument) => `--mpirun-arg=${argument}`)];
  }

  remove() {
    for (let i = 1; i <= this.#size; i++) {
      run(`ip link del ${this.#name}-${i}`);
      run(`ip netns del ${this.#name}-${i}`);
    }
    run(`ip link del ${this.#name}`);
  }
}
