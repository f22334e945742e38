import { data, decodeCheckpoint, encodeCheckpoint } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const { TextVectorizer } = data;

describe('TextVectorizer', () => {
  const texts = ['The cat sat on the mat.', "A dog, the cat's friend", 'Cat and mat'];

  it('numbers tokens from the most frequent on, 1 for unknown ones and 0 where a row is filled up', () => {
    const vectorizer = new TextVectorizer().fit(texts);
    expect(vectorizer.vocabulary).toEqual(['the', 'cat', 'mat', 'sat', 'on', 'a', 'dog', "cat's", 'friend', 'and']);
    expect(vectorizer.size).toBe(12);
    const ids = vectorizer.transform(['THE cat', 'a bird sat', '']);
    expect(ids.dtype).toBe('int64');
    expect(ids.toArray()).toEqual([
      [2, 3, 0],
      [7, 1, 5],
      [0, 0, 0],
    ]);
  });

  it('takes words of other scripts, with their marks and numbers', () => {
    const words = 'Ärger über 100 наука हिन्दी';
    expect(new TextVectorizer().fit([words]).vocabulary).toEqual(words.toLowerCase().split(' '));
  });

  it('cuts and pads to a length that is given', () => {
    const vectorizer = new TextVectorizer({ length: 2 }).fit(texts);
    expect(vectorizer.transform(['the cat sat', 'dog']).toArray()).toEqual([
      [2, 3],
      [8, 0],
    ]);
    expect(new TextVectorizer().fit(texts).transform(['', '!']).shape).toEqual([2, 1]);
  });

  it('leaves out what is rare', () => {
    expect(new TextVectorizer({ maxTokens: 4 }).fit(texts).vocabulary).toEqual(['the', 'cat']);
    expect(new TextVectorizer({ minFrequency: 2 }).fit(texts).vocabulary).toEqual(['the', 'cat', 'mat']);
    expect(new TextVectorizer({ minFrequency: 9 }).fit(texts).transform(['the']).toArray()).toEqual([[1]]);
  });

  it('splits as it is told to', () => {
    const letters = new TextVectorizer({ tokenize: (text) => [...text] }).fit(['aab']);
    expect(letters.transform(['ba']).toArray()).toEqual([[3, 2]]);
  });

  it('does not confuse tokens with the members of objects', () => {
    const vectorizer = new TextVectorizer().fit(['constructor __proto__']);
    expect(vectorizer.transform(['constructor toString']).toArray()).toEqual([[2, 1]]);
  });

  it('goes through checkpoints', () => {
    const vectorizer = new TextVectorizer().fit(texts);
    const other = new TextVectorizer();
    decodeCheckpoint(encodeCheckpoint({ vectorizer }), { vectorizer: other });
    expect(other.transform(texts).equal(vectorizer.transform(texts))).toBe(true);
    other.loadStateDict(new TextVectorizer().stateDict());
    expect(() => other.size).toThrow(/size: call fit\(texts\) first/);
  });

  it('refuses what is no list of texts', () => {
    const vectorizer = new TextVectorizer().fit(texts);
    expect(() => new TextVectorizer().transform(texts)).toThrow(/transform: call fit\(texts\) first/);
    expect(() => vectorizer.transform('the cat' as never)).toThrow(/takes texts as an array, got 'the cat'/);
    expect(() => vectorizer.fit('the cat')).toThrow(/takes texts as an array, got 'the cat'/);
    expect(() => vectorizer.fit(null as never)).toThrow(/TextVectorizer.fit: texts must be/);
    expect(() => vectorizer.transform([3 as never])).toThrow(/a text must be a string, got 3/);
    expect(() => vectorizer.transform([])).toThrow(/there are no texts/);
    expect(() => new TextVectorizer({ maxTokens: 2 })).toThrow(/at least 3/);
    expect(() => new TextVectorizer({ maxtokens: 9 } as never)).toThrow(/did you mean 'maxTokens'/);
    expect(() => new TextVectorizer({ tokenize: () => 'the cat' as never }).fit(texts)).toThrow(
      /the result of tokenize/,
    );
    expect(() => vectorizer.loadStateDict({ vocabulary: ['a', 'a'] })).toThrow(/twice/);
    expect(() => vectorizer.loadStateDict({ vocabulary: [1 as never] })).toThrow(/its vocabulary must be/);
    expect(vectorizer.size).toBe(12);
  });
});
