import { hash } from 'node:crypto';
import { dimensions } from '@segue/track-index/collection.ts';
import type { Embedder } from './embedder.ts';

/**
 * A bag of words without any model: each word adds 1 or -1 to one of the numbers, both chosen by its SHA-256, and the
 * vector is brought to length 1. Texts that share words are near each other, and meaning is none of its business. It
 * needs no service and gives the same on every machine.
 */
export const hashedEmbedder: Embedder = {
  provider: 'hashed',
  model: `bag-of-words-${dimensions}`,
  embed: async texts => texts.map(hashedEmbedding),
};

function hashedEmbedding(text: string): number[] {
  const vector = new Array<number>(dimensions).fill(0);
  for (const [word] of text
    .normalize('NFKC')
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}]+/gu)) {
    const digest = hash('sha256', word, 'buffer');
    const place = digest.readUInt32BE(0) % dimensions;
    vector[place] = (vector[place] as number) + (digest.readUInt8(4) % 2 === 0 ? 1 : -1);
  }
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map(value => value / length);
}
