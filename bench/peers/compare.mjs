import { Figures, factor, microseconds, table } from './figures.mjs';

/** Times each case with all peers in turn, and returns a table: medians in microseconds, and ratios to the first peer. */
export async function compare(peers, cases, rounds, title) {
  const figures = new Figures();
  for (let round = 0; round < rounds; round++)
    for (const name of cases)
      for (const peer of peers) {
        process.stderr.write(`round ${round + 1} of ${rounds}: ${name}, ${peer.id}\n`);
        const ms = await peer.ask(name);
        if (ms !== null) figures.add(name, peer.id, round, ms);
      }
  const [first] = peers;
  const cell = (name, { id }) => {
    const ms = figures.time(name, id);
    if (ms === null) return '';
    const ratio = figures.ratio([name, id], [name, first.id]);
    return id === first.id || ratio === null ? microseconds(ms) : `${microseconds(ms)} (${factor(ratio)})`;
  };
  const head = [
    `microseconds (times ${first.id}'s)`,
    ...peers.map(({ id, version }) => `${id} ${version ?? ''}`.trim()),
  ];
  return `${table(
    head,
    cases.map((name) => [name, ...peers.map((peer) => cell(name, peer))]),
  )}\n\n${title}, medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`;
}
