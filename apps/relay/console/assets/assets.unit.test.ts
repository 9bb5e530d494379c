import { expect, test } from 'vitest';
import { asset, assetBytes } from './assets.ts';

test('all files together stay under 100 KB, and compressed under 45', () => {
  const { plain, compressed } = assetBytes();
  expect(plain).toBeLessThan(100_000);
  expect(compressed).toBeLessThan(45_000);
});

test('the address of a file names its content', () => {
  expect(asset('console.css')).toMatch(/^\/console\/assets\/[\w-]{12}\/console\.css$/);
});
