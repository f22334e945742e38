import { type Tensor, tensor } from '@gradgate/core';
import { check, checkOptions, is, show } from '@gradgate/core/internal';

/** Words in lower case, with their inner apostrophes; what stands between them is left out. */
const wordsOf = (text: string): string[] =>
  text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu) ?? [];

const options = { tokenize: is.callback, maxTokens: is.count, minFrequency: is.count, length: is.count };

/** What `TextVectorizer` takes. */
export interface TextVectorizerOptions {
  /** The tokens of a text; its words in lower case by default. */
  tokenize?: (text: string) => readonly string[];
  /** The most numbers there may be, with the two that are no tokens: the rarest tokens are left out. */
  maxTokens?: number;
  /** How often a token must occur to have a number; 1 by default. */
  minFrequency?: number;
  /** The length that all texts are cut or padded to; by default, that of the longest of a call. */
  length?: number;
}

/**
 * Makes numbers of texts: `fit` learns the tokens of the training texts, `transform` gives any texts as rows of their
 * numbers. 0 fills rows up, 1 is a token that was not learned; the others follow from the most frequent on. Its state can
 * be saved with the model's.
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
  private numbers: ReadonlyMap<string, number> | null = null;

  constructor(given: TextVectorizerOptions = {}) {
    const op = 'TextVectorizer';
    const {
      tokenize = wordsOf,
      maxTokens = Number.POSITIVE_INFINITY,
      minFrequency = 1,
      length,
    } = checkOptions(op, given, options);
    if (maxTokens < 3)
      throw new RangeError(`${op}: maxTokens is at least 3, as 0 and 1 are no tokens, got ${maxTokens}`);
    this.tokenize = tokenize;
    this.maxTokens = maxTokens;
    this.minFrequency = minFrequency;
    this.length = length;
  }

  /** Learns the tokens of these texts, in place of those that it knew. Of tokens as frequent the first one seen is first. */
  fit(texts: Iterable<string>): this {
    const op = 'TextVectorizer.fit';
    if (typeof texts === 'string') throw notTexts(op, texts);
    check(op, 'texts', texts, is.iterable);
    const counts = new Map<string, number>();
    for (const text of texts)
      for (const token of this.tokensOf(op, text)) counts.set(token, (counts.get(token) ?? 0) + 1);
    const frequent = [...counts].filter(([, count]) => count >= this.minFrequency).sort(([, a], [, b]) => b - a);
    this.take(frequent.slice(0, this.maxTokens - 2).map(([token]) => token));
    return this;
  }

  /** The tokens that were learned, of which the first has number 2. */
  get vocabulary(): string[] {
    return [...this.fitted('TextVectorizer.vocabulary').keys()];
  }

  /** How many numbers there are, 0 and 1 among them: `numEmbeddings` of an `Embedding`. */
  get size(): number {
    return this.fitted('TextVectorizer.size').size + 2;
  }

  /** The numbers of texts: `[texts, length]`, int64, filled up with 0. */
  transform(texts: readonly string[]): Tensor {
    const op = 'TextVectorizer.transform';
    const numbers = this.fitted(op);
    if (!Array.isArray(texts)) throw notTexts(op, texts);
    if (texts.length === 0) throw new TypeError(`${op}: there are no texts`);
    const rows = texts.map((text) => this.tokensOf(op, text).map((token) => numbers.get(token) ?? 1));
    const length = this.length ?? rows.reduce((most, row) => Math.max(most, row.length), 1);
    return tensor(
      rows.map((row) => Array.from({ length }, (_, i) => row[i] ?? 0)),
      { dtype: 'int64' },
    );
  }

  stateDict(): { vocabulary: string[] | null } {
    return { vocabulary: this.numbers && this.vocabulary };
  }

  loadStateDict(state: { vocabulary: readonly string[] | null }): void {
    const op = 'TextVectorizer.loadStateDict';
    check(op, 'the state', state, is.object);
    check(op, 'its vocabulary', state.vocabulary, is.nullable(is.arrayOf(is.string)));
    if (state.vocabulary === null) this.numbers = null;
    else if (new Set(state.vocabulary).size < state.vocabulary.length)
      throw new TypeError(`${op}: a token is in the vocabulary twice`);
    else this.take(state.vocabulary);
  }

  private take(tokens: readonly string[]): void {
    this.numbers = new Map(tokens.map((token, i) => [token, i + 2]));
  }

  private tokensOf(op: string, text: unknown): readonly string[] {
    check(op, 'a text', text, is.string);
    const tokens = this.tokenize(text as string);
    check(op, 'what tokenize gives', tokens, is.arrayOf(is.string));
    return tokens;
  }

  private fitted(op: string): ReadonlyMap<string, number> {
    if (!this.numbers) throw new TypeError(`${op}: call fit(texts) first`);
    return this.numbers;
  }
}

const notTexts = (op: string, texts: unknown) => new TypeError(`${op}: takes texts as an array, got ${show(texts)}`);
