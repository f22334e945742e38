import { parseArgs } from 'node:util';

const usage =
  'usage: node bench/peers.mjs [--rounds N] [--only TEXT] [--peers NAME,NAME | --ways] [--write]\n' +
  '  --rounds  how often each case is timed (5)\n' +
  '  --only    the cases whose names hold this text, "start-up" and "memory" among them\n' +
  '  --peers   those beside gradgate\n' +
  '  --ways    the ways to run a step, beside PyTorch, with shorter warm-ups\n' +
  '  --write   puts the tables into docs/performance.md; all cases only';

/** What `--ways` compares. */
const ways = ['compiled', 'native', 'native-tidy', 'native-compiled'].map((way) => `gradgate-${way}`);

/** Parses the command line; on a mistake it prints which and exits. */
export function optionsOf(args, known, names) {
  try {
    return checked(args, known, names);
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}

function checked(args, known, names) {
  const text = { type: 'string' };
  const { values } = parseArgs({
    args,
    options: { rounds: text, only: text, peers: text, ways: { type: 'boolean' }, write: { type: 'boolean' } },
  });
  const rounds = Number(values.rounds ?? 5);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds takes a positive integer, got "${values.rounds}"`);
  if (values.ways && values.peers) throw new RangeError('--ways says which peers there are; leave out --peers');
  const peers = values.ways
    ? [...ways, 'pytorch', 'peak']
    : (values.peers?.split(',').map((name) => name.trim()) ?? known);
  for (const name of peers)
    if (!known.includes(name)) throw new RangeError(`--peers: no peer "${name}", there are ${known.join(', ')}`);
  const only = values.only ?? '';
  if (!names.some((name) => name.includes(only)))
    throw new RangeError(`--only: no case holds "${only}", there are\n  ${names.join('\n  ')}`);
  if (values.write && (values.only || values.peers))
    throw new RangeError('--write takes all cases, and all peers or --ways; leave out --only and --peers');
  return {
    rounds,
    peers: known.filter((name, i) => i === 0 || peers.includes(name)),
    only,
    ways: values.ways ?? false,
    write: values.write ?? false,
  };
}
