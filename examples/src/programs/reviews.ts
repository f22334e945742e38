const places = ['the film', 'this book', 'the food', 'our room'];
const verbs = ['was', 'seemed', 'is really'];
const ends = ['at first', 'to all of us', ''];
const opinions = [
  ['awful', 'dull and slow', 'a waste of money', 'cold and bland'],
  ['wonderful', 'a joy', 'fresh and bright', 'well worth it'],
];

/** Invented reviews, in no order; the label is 1 where the writer is pleased. Your own come from a file. */
export const reviews = places
  .flatMap((place) => verbs.flatMap((verb) => ends.map((end) => [place, verb, end])))
  .flatMap(([place, verb, end]) =>
    opinions.flatMap((list, label) => list.map((opinion) => ({ text: `${place} ${verb} ${opinion} ${end}`, label }))),
  );
