import { hash } from 'node:crypto';

/** As Qdrant takes it; each index once. */
export type SparseVector = { indices: number[]; values: number[] };

/** Of the term frequency: the second mention of a word counts for less than the first. */
const saturation = 1.2;

/**
 * Makes the sparse vector of a text exactly as the search side makes that of a query, or keywords would find nothing:
 * lower case; all but ASCII letters, digits, `_` and white space is a gap; words of one character are dropped. A
 * word's index is the first four bytes of its MD5, big-endian; its value `tf / (tf + 1.2)`. Qdrant adds the weight of
 * rare words by itself (`modifier: idf`).
 *
 * @returns empty for a text without such words, `夜に駆ける` say
 */
export function sparseVectorOf(text: string): SparseVector {
  const frequencies = new Map<number, number>();
  for (const word of text
    .toLowerCase()
    .replace(/[^\w\s]/g, ' ')
    .split(/\s+/)) {
    if (word.length < 2) continue;
    const index = hash('md5', word, 'buffer').readUInt32BE(0);
    frequencies.set(index, (frequencies.get(index) ?? 0) + 1);
  }
  return {
    indices: [...frequencies.keys()],
    values: [...frequencies.values()].map(frequency => frequency / (frequency + saturation)),
  };
}
