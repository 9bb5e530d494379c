import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { reasonOf } from '@segue/process/reason.ts';

/** A JSON line of one of our processes. */
export type LogLine = Record<string, unknown> & {
  /** 30 info, 40 warn, 50 error, 60 fatal. */
  level: number;
  /** ms since 1970. */
  time: number;
  msg?: string;
  event?: string;
  error?: string;
};

/** Decides which lines a person sees. The files hold them all. */
export type LogDisplay = {
  say(line: string): void;
  show(name: string, line: LogLine): void;
  /** Shows what becomes of recordings from now on: what the tour has done, its table tells. */
  showOutcomes(): void;
};

export type ProcessLog = {
  take(line: string, stream: 'stdout' | 'stderr'): void;
  /** Why the process ended, as far as it has said so, in one line. Told once. */
  lastWords(): string | null;
  /** Resolves when all is written. */
  close(): Promise<void>;
};

/** Which say what became of a recording. That it was requested, they imply. */
const outcomes = ['ingestion_scheduled', 'ingestion_skipped', 'album_ingestion_batch', 'document_indexed'];
const levels: Record<number, string> = {
  40: styleText('yellow', 'WARN '),
  50: styleText('red', 'ERROR '),
  60: styleText('red', 'FATAL '),
};
/** Of no use to a person who watches, or shown in another way. */
const hidden = ['level', 'time', 'pid', 'hostname', 'name', 'msg', 'event', 'stack', 'result', 'duration_ms'];

/**
 * @param everything shows each line; otherwise only warnings, errors, and what becomes of each recording
 */
export function createLogDisplay(say: (line: string) => void, { everything = false } = {}): LogDisplay {
  let shownFrom = Number.POSITIVE_INFINITY;
  return {
    say,
    show(name, line) {
      const isOutcome = outcomes.includes(line.event ?? '') && line.level < 50;
      // A fatal line is a process's last words, which are told with its end.
      const wanted = isOutcome ? line.time >= shownFrom : line.level >= 40 && line.level < 60;
      if (wanted || everything) say(forPeople(name, line));
    },
    showOutcomes() {
      shownFrom = Date.now();
    },
  };
}

/** Keeps a process's output in a file of its own, new at each start of ours, and shows what matters. */
export function openProcessLog(name: string, folder: string, display: LogDisplay): ProcessLog {
  const path = join(folder, `${name}.log`);
  let file: WriteStream | undefined;
  let words: string | null = null;

  /** Opened with the first line: a start that fails before leaves the last log, and a running Segue's, alone. */
  function openFile(): WriteStream {
    const stream = createWriteStream(path, { mode: 0o600 });
    return stream.on('error', error => display.say(`${path} cannot be written: ${reasonOf(error)}`));
  }
  return {
    take(text, stream) {
      file ??= openFile();
      if (file.writable) file.write(`${text}\n`);
      const line = readLine(text);
      if (line) {
        display.show(name, line);
        if (line.level >= 60) words = describe(line);
      } else if (stream === 'stderr' && /\b\w*Error\b.*:/.test(text)) {
        // Node's own report of a crash: the first of its lines with a message in it, stack and all follow.
        words ??= text.trim();
      }
    },
    lastWords() {
      const told = words;
      words = null;
      return told;
    },
    async close() {
      if (!file || file.closed) return;
      file.end();
      await once(file, 'close');
    },
  };
}

function readLine(text: string): LogLine | null {
  try {
    const line = JSON.parse(text);
    return typeof line?.level === 'number' && typeof line.time === 'number' ? line : null;
  } catch {
    return null;
  }
}

function describe({ msg, event, error }: LogLine): string {
  const what = msg ?? event ?? 'error';
  return error === undefined || what.includes(error) ? what : `${what}: ${error}`;
}

/** `12:34:56 relay  ingestion_skipped isrc=USSM15900114 trackTitle="So What" reason=duplicate` */
export function forPeople(name: string, line: LogLine): string {
  const clock = new Date(line.time).toTimeString().slice(0, 8);
  const fields = Object.entries(line)
    .filter(([field]) => !hidden.includes(field))
    .filter(([, value]) => !(typeof value === 'string' && line.msg?.includes(value)))
    .map(([field, value]) => `${field}=${/^[\w:./-]+$/.test(String(value)) ? value : JSON.stringify(value)}`);
  const text = [line.event, line.msg, ...fields].filter(Boolean).join(' ');
  return `${styleText('dim', clock)} ${styleText('cyan', name.padEnd(5))} ${levels[line.level] ?? ''}${text}`;
}
