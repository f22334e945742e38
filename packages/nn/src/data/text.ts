import { type Tensor, tensor } from '@gradgate/core';
import { check, checkOptions, is, show } from '@gradgate/core/internal';

/** The words of a text in lower case, with inner apostrophes and without punctuation. */
const wordsOf = (text: string): string[] =>
  text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu) ?? [];

const options = { tokenize: is.callback, maxTokens: is.count, minFrequency: is.count, length: is.count };

/** The options of `TextVectorizer`. */
export interface TextVectorizerOptions {
  /** Splits a text into tokens; into words in lower case by default. */
  tokenize?: (text: string) => readonly string[];
  /**
   * The largest number of ids, including the two reserved ones; the rarest tokens are left out. No limit by default.
   */
  maxTokens?: number;
  /** The number of times a token must occur to get an id; 1 by default. */
  minFrequency?: number;
  /** The length that texts are cut or padded to; by default that of the longest text of a call. */
  length?: number;
}

/**
 * Converts texts to token ids: `fit` collects the tokens of the training texts, `transform` converts any texts. Id 0 is
 * padding and 1 an unknown token; the others go from the most frequent token on. Its state can be saved with the
 * model's.
 *
 * ```ts
 * const vectorizer = new data.TextVectorizer().fit(['The cat sat', 'the dog']);
 * vectorizer.transform(['The cat', 'a dog sat down']); // [[2, 3, 0, 0], [1, 5, 4, 1]]
 * ```
 */
export class TextVectorizer {
  private readonly tokenize: (text: string) => readonly string[];
  private readonly maxTokens: number;
  private readonly minFrequency: number;
  private readonly length: number | undefined;
  private ids: ReadonlyMap<string, number> | null = null;

  constructor(given: TextVectorizerOptions = {}) {
    const op = 'TextVectorizer';
    const {
      tokenize = wordsOf,
      maxTokens = Number.POSITIVE_INFINITY,
      minFrequency = 1,
      length,
    } = checkOptions(op, given, options);
    if (maxTokens < 3)
      throw new RangeError(`${op}: maxTokens must be at least 3, as ids 0 and 1 are reserved, got ${maxTokens}`);
    this.tokenize = tokenize;
    this.maxTokens = maxTokens;
    this.minFrequency = minFrequency;
    this.length = length;
  }

  /**
   * Collects the tokens of these texts, replacing earlier ones. Equally frequent tokens are in order of appearance.
   * Returns this.
   */
  fit(texts: Iterable<string>): this {
    const op = 'TextVectorizer.fit';
    if (typeof texts === 'string') throw notTexts(op, texts);
    check(op, 'texts', texts, is.iterable);
    const counts = new Map<string, number>();
    for (const text of texts)
      for (const token of this.tokensOf(op, text)) counts.set(token, (counts.get(token) ?? 0) + 1);
    const frequent = [...counts].filter(([, count]) => count >= this.minFrequency).sort(([, a], [, b]) => b - a);
    this.setVocabulary(frequent.slice(0, this.maxTokens - 2).map(([token]) => token));
    return this;
  }

  /** The known tokens; the first one has id 2. */
  get vocabulary(): string[] {
    return [...this.fitted('TextVectorizer.vocabulary').keys()];
  }

  /** The number of ids, including 0 and 1: the `numEmbeddings` of an `Embedding`. */
  get size(): number {
    return this.fitted('TextVectorizer.size').size + 2;
  }

  /** Returns the token ids of texts, int64 `[texts, length]`, padded with 0. */
  transform(texts: readonly string[]): Tensor {
    const op = 'TextVectorizer.transform';
    const ids = this.fitted(op);
    if (!Array.isArray(texts)) throw notTexts(op, texts);
    if (texts.length === 0) throw new TypeError(`${op}: there are no texts`);
    const rows = texts.map((text) => this.tokensOf(op, text).map((token) => ids.get(token) ?? 1));
    const length = this.length ?? rows.reduce((most, row) => Math.max(most, row.length), 1);
    return tensor(
      rows.map((row) => Array.from({ length }, (_, i) => row[i] ?? 0)),
      { dtype: 'int64' },
    );
  }

  /** Returns the vocabulary, for `loadStateDict` or `saveCheckpoint`. */
  stateDict(): { vocabulary: string[] | null } {
    return { vocabulary: this.ids && this.vocabulary };
  }

  /** Restores a state of `stateDict()`. */
  loadStateDict(state: { vocabulary: readonly string[] | null }): void {
    const op = 'TextVectorizer.loadStateDict';
    check(op, 'the state', state, is.object);
    check(op, 'its vocabulary', state.vocabulary, is.nullable(is.arrayOf(is.string)));
    if (state.vocabulary === null) this.ids = null;
    else if (new Set(state.vocabulary).size < state.vocabulary.length)
      throw new TypeError(`${op}: the vocabulary has a token twice`);
    else this.setVocabulary(state.vocabulary);
  }

  private setVocabulary(tokens: readonly string[]): void {
    this.ids = new Map(tokens.map((token, i) => [token, i + 2]));
  }

  private tokensOf(op: string, text: unknown): readonly string[] {
    check(op, 'a text', text, is.string);
    const tokens = this.tokenize(text as string);
    check(op, 'the result of tokenize', tokens, is.arrayOf(is.string));
    return tokens;
  }

  private fitted(op: string): ReadonlyMap<string, number> {
    if (!this.ids) throw new TypeError(`${op}: call fit(texts) first`);
    return this.ids;
  }
}

const notTexts = (op: string, texts: unknown) => new TypeError(`${op}: takes texts as an array, got ${show(texts)}`);
