import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isTourDue } from './tour.ts';

async function newMarker(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-tour-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'tour');
}

test('it is due once, and only where there is no library yet', async () => {
  const marker = await newMarker();
  expect(await isTourDue(marker, 0)).toBe(true);
  expect(await isTourDue(marker, 1)).toBe(false);
  await writeFile(marker, 'played');
  expect(await isTourDue(marker, 0)).toBe(false);
});

test('one that was cut short is due again, whatever it has added', async () => {
  const marker = await newMarker();
  await writeFile(marker, 'begun');
  expect(await isTourDue(marker, 2)).toBe(true);
});
