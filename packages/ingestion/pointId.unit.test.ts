import { expect, test } from 'vitest';
import { hashIsrcToUuid } from './pointId.ts';

/** The four pairs that the contract shares with the worker. The second is hashed in its normalised spelling. */
test.each([
  ['USRC17607839', '5fd78b1e-0573-3677-91d0-56197cc6f1f7'],
  ['usrc12345678', '2d8dd314-47b1-4d7d-33a0-18303a2175e3'],
  ['USUM72409273', 'abea7611-b7c9-a78a-f6fd-9471b7dab357'],
  ['GBAYE0601498', '16e78802-0fe8-5400-5a56-a644c7561370'],
])('the point of %s is %s', (isrc, pointId) => {
  expect(hashIsrcToUuid(isrc)).toBe(pointId);
});
