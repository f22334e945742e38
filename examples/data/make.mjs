// Makes the tables that the programs read. Invented, with a fixed seed: node examples/data/make.mjs
import { writeFileSync } from 'node:fs';

let state = 42;
const uniform = () => {
  state = (1664525 * state + 1013904223) % 2 ** 32;
  return state / 2 ** 32;
};
const normal = () => Array.from({ length: 12 }, uniform).reduce((a, b) => a + b, -6);
const write = (name, header, rows) =>
  writeFileSync(new URL(name, import.meta.url), `${[header, ...rows.map((row) => row.join())].join('\n')}\n`);

// Houses: the price, in thousands, falls with age and distance, and an area counts for more near the center.
write(
  'houses.csv',
  'area,rooms,age,distance,price',
  Array.from({ length: 400 }, () => {
    const area = Math.round(40 + 160 * uniform());
    const rooms = Math.max(1, Math.round(area / 30 + normal() / 2));
    const age = Math.round(80 * uniform());
    const distance = Number((20 * uniform()).toFixed(1));
    const price = 60 + area * (2.5 + 2 / (1 + distance / 4)) + 8 * rooms - 0.9 * age + 12 * normal();
    return [area, rooms, age, distance, price.toFixed(1)];
  }),
);

// Passengers of an airline by month: they grow, with a season of twelve months.
write(
  'passengers.csv',
  'month,passengers',
  Array.from({ length: 180 }, (_, i) => {
    const season = 1 + 0.25 * Math.sin((2 * Math.PI * i) / 12) + 0.1 * Math.cos((4 * Math.PI * i) / 12);
    const month = `${2010 + Math.floor(i / 12)}-${String((i % 12) + 1).padStart(2, '0')}`;
    return [month, Math.round((120 + 1.6 * i) * season + 4 * normal())];
  }),
);

// Reviews: the label is 1 where the writer is pleased.
const places = ['the film', 'this book', 'the food', 'our room'];
const verbs = ['was', 'seemed', 'is really'];
const ends = [' at first', ' to all of us', ''];
const opinions = [
  ['awful', 'dull and slow', 'a waste of money', 'cold and bland'],
  ['wonderful', 'a joy', 'fresh and bright', 'well worth it'],
];
write(
  'reviews.csv',
  'text,label',
  places
    .flatMap((place) => verbs.flatMap((verb) => ends.map((end) => [place, verb, end])))
    .flatMap(([place, verb, end]) =>
      opinions.flatMap((list, label) => list.map((opinion) => [`${place} ${verb} ${opinion}${end}`, label])),
    ),
);
