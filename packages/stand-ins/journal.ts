import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Characters written at a time; a whole file in one string may be longer than a string can be. */
const chunk = 1024 * 1024;

/**
 * A file of JSON lines that a stand-in appends to before it answers, so that what it has acknowledged is
 * still there when its process is killed. It is not synced to the disk: a loss of power may cost the end.
 */
export type Journal<Entry> = {
  append(entries: Iterable<Entry>): void;
  /** Puts these entries in place of all that stood there, at once. */
  rewrite(entries: Iterable<Entry>): void;
  /** Lines in the file, for the owner to tell when it is worth rewriting. */
  lines(): number;
  close(): void;
};

/**
 * Reads what the file holds, and opens it for more; makes it and its folder if need be. A last line without
 * its end was being written when the process died, nobody was told that it was accepted, and it is cut off.
 *
 * @throws an error naming the file and the line, when a line is no JSON
 */
export function openJournal<Entry>(file: string): { written: Entry[]; journal: Journal<Entry> } {
  mkdirSync(dirname(file), { recursive: true });
  const written = readEntries<Entry>(file);
  let descriptor = openSync(file, 'a');
  let lines = written.length;
  const write = (entries: Iterable<Entry>) => {
    let text = '';
    for (const entry of entries) {
      text += `${JSON.stringify(entry)}\n`;
      lines++;
      if (text.length < chunk) continue;
      writeText(descriptor, text);
      text = '';
    }
    writeText(descriptor, text);
  };
  const journal: Journal<Entry> = {
    append: write,
    rewrite(entries) {
      closeSync(descriptor);
      descriptor = openSync(`${file}.new`, 'w');
      lines = 0;
      write(entries);
      renameSync(`${file}.new`, file);
    },
    lines: () => lines,
    close: () => closeSync(descriptor),
  };
  return { written, journal };
}

function readEntries<Entry>(file: string): Entry[] {
  if (!existsSync(file)) return [];
  const bytes = readFileSync(file);
  const entries: Entry[] = [];
  let start = 0;
  for (let end = bytes.indexOf('\n'); end !== -1; end = bytes.indexOf('\n', start)) {
    entries.push(parseLine(bytes.toString('utf8', start, end), `${file}: line ${entries.length + 1}`));
    start = end + 1;
  }
  if (start < bytes.length) truncateSync(file, start);
  return entries;
}

function parseLine<Entry>(line: string, place: string): Entry {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`${place} is no JSON. Mend it, or remove the file to start empty.`, { cause: error });
  }
}

/** `writeSync` may write less than it was given; what is left follows. */
function writeText(descriptor: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest));
}
