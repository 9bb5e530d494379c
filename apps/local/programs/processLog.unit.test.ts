import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createLogDisplay, openProcessLog } from './processLog.ts';

const line = (fields: object) => JSON.stringify({ level: 30, time: Date.now(), pid: 1, ...fields });

async function relayLog(options?: { everything?: boolean }) {
  const folder = await mkdtemp(join(tmpdir(), 'segue-logs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const shown: string[] = [];
  // Without the time of day.
  const say = (text: string) => void shown.push(stripVTControlCharacters(text).slice(9));
  const display = createLogDisplay(say, options);
  const log = openProcessLog('relay', folder, display);
  const written = async () => {
    await log.close();
    return await readFile(join(folder, 'relay.log'), 'utf8');
  };
  const reopened = () => openProcessLog('relay', folder, display);
  return { ...log, display, shown, written, reopened };
}

test('the file holds every line, a person sees what matters', async () => {
  const { take, display, shown, written } = await relayLog();
  display.showOutcomes();
  const lines = [
    line({ msg: 'relay is running' }),
    line({ event: 'ingestion_scheduled', isrc: 'USSM15900113', trackTitle: 'So What', result: 'success' }),
    line({ level: 40, event: 'ingestion_skipped', isrc: 'USSM15900114', reason: 'already_indexed' }),
    line({ event: 'ingestion_requested', isrc: 'USSM15900113' }),
    line({ level: 50, event: 'inngest_error', error: 'fetch failed', duration_ms: 3 }),
  ];
  for (const each of [...lines, 'no JSON']) take(each, 'stdout');

  expect(shown).toEqual([
    'relay ingestion_scheduled isrc=USSM15900113 trackTitle="So What"',
    'relay WARN ingestion_skipped isrc=USSM15900114 reason=already_indexed',
    'relay ERROR inngest_error error="fetch failed"',
  ]);
  expect(await written()).toBe(`${[...lines, 'no JSON'].join('\n')}\n`);
});

test('what becomes of recordings is not shown before its time, an error is', async () => {
  const { take, display, shown } = await relayLog();
  take(line({ event: 'ingestion_scheduled', isrc: 'USSM15900113' }), 'stdout');
  take(line({ level: 50, msg: 'the database failed' }), 'stdout');
  const before = Date.now() - 1;
  display.showOutcomes();
  // Logged before, read after.
  take(line({ event: 'ingestion_scheduled', isrc: 'USSM15900116', time: before }), 'stdout');
  expect(shown).toEqual(['relay ERROR the database failed']);
});

test('everything is shown to whoever asks for it', async () => {
  const { take, shown } = await relayLog({ everything: true });
  take(line({ msg: 'relay is running', address: 'http://127.0.0.1:4100' }), 'stdout');
  expect(shown).toEqual(['relay relay is running address=http://127.0.0.1:4100']);
});

test('the last words of a process are its fatal line, told once and without a stack', async () => {
  const { take, lastWords, shown } = await relayLog();
  take(line({ level: 50, msg: 'of an hour ago' }), 'stdout');
  expect(lastWords()).toBeNull();
  take(
    line({ level: 60, msg: 'crashed', error: 'no memory', stack: 'Error: no memory\n    at x' }),
    'stdout',
  );
  expect(lastWords()).toBe('crashed: no memory');
  expect(lastWords()).toBeNull();
  expect(shown.join()).not.toContain('crashed');
});

test('of a crash that Node reports itself, the message is taken', async () => {
  const { take, lastWords } = await relayLog();
  const report = [
    'node:internal/modules:1',
    '',
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'pino'",
    '    at x',
  ];
  for (const each of report) take(each, 'stderr');
  expect(lastWords()).toBe("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'pino'");
});

test('the log of the last start stays until there is something new to say', async () => {
  const { take, written, reopened } = await relayLog();
  take('of the last start', 'stdout');
  await written();

  const log = reopened();
  await log.close();
  expect(await written()).toBe('of the last start\n');
});
