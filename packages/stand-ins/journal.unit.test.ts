import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openJournal } from './journal.ts';

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'deeper', 'entries.jsonl');
}

test('what was appended is read again, and more can follow', () => {
  const file = newFile();
  const first = openJournal<number>(file);
  expect(first.written).toEqual([]);
  first.journal.append([1, 2]);
  first.journal.close();

  const second = openJournal<number>(file);
  expect(second.written).toEqual([1, 2]);
  second.journal.append([3]);
  expect(second.journal.lines()).toBe(3);
  second.journal.close();
  expect(readFileSync(file, 'utf8')).toBe('1\n2\n3\n');
});

test('a line that was cut off by a crash is dropped, and does not spoil the next', () => {
  const file = newFile();
  const first = openJournal<object>(file);
  first.journal.append([{ a: 1 }]);
  first.journal.close();
  appendFileSync(file, '{"a":');

  const second = openJournal<object>(file);
  second.journal.append([{ a: 2 }]);
  second.journal.close();
  const third = openJournal<object>(file);
  third.journal.close();
  expect(third.written).toEqual([{ a: 1 }, { a: 2 }]);
});

test('a rewritten journal holds the new entries alone, and takes more', () => {
  const file = newFile();
  const { journal } = openJournal<string>(file);
  journal.append(['a', 'b']);
  journal.rewrite(['c']);
  journal.append(['d']);
  expect(journal.lines()).toBe(2);
  journal.close();
  expect(readFileSync(file, 'utf8')).toBe('"c"\n"d"\n');
});

test('entries larger than one write come back whole', () => {
  const file = newFile();
  const entries = Array.from({ length: 30 }, (_, index) => 'é'.repeat(100_000) + index);
  const first = openJournal<string>(file);
  first.journal.append(entries);
  first.journal.close();
  const second = openJournal<string>(file);
  second.journal.close();
  expect(second.written).toEqual(entries);
});

test('a file that is no journal is named', () => {
  const file = newFile();
  openJournal(file).journal.close();
  writeFileSync(file, '1\nnonsense\n');
  expect(() => openJournal(file)).toThrow(`${file}: line 2 is no JSON`);
});
