import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startProcess } from './process.ts';

const log = (line: object) => `console.log(${JSON.stringify(JSON.stringify(line))});`;
const stay = 'setTimeout(() => {}, 30_000);';

test('sees PATH, HOME and what it is given, and nothing else', async () => {
  const script =
    "console.log(JSON.stringify({ msg: 'env', names: Object.keys(process.env).sort(), cwd: process.cwd() }))";
  await using child = await startProcess(await scriptFile(script), { GIVEN: '1' });

  const line = await child.waitForLog(({ msg }) => msg === 'env');
  // macOS adds one of its own.
  expect((line.names as string[]).filter(name => !name.startsWith('__CF'))).toEqual([
    'GIVEN',
    'HOME',
    'PATH',
    'PWD',
  ]);
});

test('waitForLog finds a line of the past, and one of the future', async () => {
  const later = `process.on('SIGUSR2', () => { ${log({ msg: 'second' })} });`;
  await using child = await startProcess(await scriptFile(`${later} ${log({ msg: 'first' })} ${stay}`), {});
  await child.waitForLog(({ msg }) => msg === 'first');
  const second = child.waitForLog(({ msg }) => msg === 'second');
  child.kill('SIGUSR2');

  expect(await second).toEqual({ msg: 'second' });
  expect(await child.waitForLog(({ msg }) => msg === 'first')).toEqual({ msg: 'first' });
  expect(child.logs).toEqual([{ msg: 'first' }, { msg: 'second' }]);
});

test('waitForLog tells the last lines when time is up', async () => {
  await using child = await startProcess(
    await scriptFile(`console.error('on stderr'); ${log({ msg: 'up' })} ${stay}`),
    {},
  );
  await child.waitForLog(({ msg }) => msg === 'up');

  const tooLate = child.waitForLog(({ msg }) => msg === 'never', 1);
  await expect(tooLate).rejects.toThrow(/within 1 ms.*on stderr/s);
});

test('waitForLog tells at once when the process ends without the line', async () => {
  await using child = await startProcess(await scriptFile("throw new Error('no luck')"), {});

  await expect(child.waitForLog(() => true, 60_000)).rejects.toThrow(/exit code 1.*no luck/s);
  expect(await child.exited).toEqual({ code: 1, signal: null });
});

test('stop waits for a clean end', async () => {
  const clean = `process.on('SIGTERM', () => { ${log({ msg: 'bye' })} process.exit(0); });`;
  const child = await startProcess(await scriptFile(`${clean} ${log({ msg: 'up' })} ${stay}`), {});
  await child.waitForLog(({ msg }) => msg === 'up');

  expect(await child.stop()).toEqual({ code: 0, signal: null });
  expect(child.logs.at(-1)).toEqual({ msg: 'bye' });
});

test('stop complains about a process that had to be killed', async () => {
  const child = await startProcess(
    await scriptFile(`process.on('SIGTERM', () => {}); ${log({ msg: 'up' })} ${stay}`),
    {},
  );
  await child.waitForLog(({ msg }) => msg === 'up');

  await expect(child.stop()).rejects.toThrow('did not end within 10 s');
});

async function scriptFile(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-script-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'main.ts');
  await writeFile(path, script);
  return path;
}
