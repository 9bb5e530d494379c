import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eventually } from '@segue/testing/eventually.ts';
import { describe, expect, test } from 'vitest';
import { type KeptProcessOptions, spawnKept } from './childProcess.ts';

/** Tells its pid and stays; on SIGTERM it says so and exits with 3. Should it ever be left behind: 30 s. */
const obedient = `
  process.on('SIGTERM', () => { console.log('asked to end'); process.exitCode = 3; clearTimeout(stay); });
  const stay = setTimeout(() => {}, 30_000);
  console.log('pid ' + process.pid);
`;
const deaf = `process.on('SIGTERM', () => {}); setTimeout(() => {}, 30_000); console.log('pid ' + process.pid);`;

describe('while we live', () => {
  test("exit code and output are the command's own", async () => {
    const lines: string[] = [];
    const script = `process.stdout.write('one\\ntw\\u2028o\\nthree'); console.error('four'); process.exitCode = 7`;
    const kept = await spawnKept(process.execPath, ['-e', script], {
      output: (line, stream) => lines.push(`${stream}: ${line}`),
    });

    expect(await kept.exited).toEqual({ code: 7, signal: null });
    expect(lines.sort()).toEqual(['stderr: four', 'stdout: one', 'stdout: three', 'stdout: tw\u2028o']);
  });

  test('a signal reaches the command itself, and how it ended is told', async () => {
    const { kept, firstLine } = await start(obedient, {});
    expect(await firstLine).toBe(`pid ${kept.pid}`);

    kept.kill('SIGKILL');
    expect(await kept.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await kept.stop()).toEqual({ code: null, signal: 'SIGKILL', forced: false });
  });

  test('stop asks', async () => {
    const { kept, firstLine, lines } = await start(obedient, {});
    await firstLine;

    expect(await kept.stop()).toEqual({ code: 3, signal: null, forced: false });
    expect(lines).toContain('asked to end');
  });

  test('stop kills what does not listen', async () => {
    const { kept, firstLine } = await start(deaf, { graceSeconds: 1 });
    await firstLine;

    expect(await kept.stop()).toEqual({ code: null, signal: 'SIGKILL', forced: true });
  });

  test('a command that does not exist exits with 127', async () => {
    const lines: string[] = [];
    const kept = await spawnKept('/nowhere/postgres', [], { output: line => lines.push(line) });

    expect(await kept.exited).toEqual({ code: 127, signal: null });
    expect(lines.join()).toContain('/nowhere/postgres');
  });

  test('a folder for orphans stays', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'segue-kept-'));
    const kept = await spawnKept(process.execPath, ['-e', ''], {
      output: 'inherit',
      removeIfOrphaned: folder,
    });
    await kept.exited;

    expect(existsSync(folder)).toBe(true);
    await rm(folder, { recursive: true });
  });
});

/** The parent's stdout is also the command's: that it ends proves that both have ended. */
describe.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('when we end by %s', signal => {
  test('the command is asked to end', async () => {
    const parent = startParent(obedient, {});
    await once(parent.stdout, 'data');
    parent.kill(signal);

    expect(await text(parent.stdout)).toBe('asked to end\n');
  });
});

test('when we end, what does not listen is killed, and its folder removed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'segue-kept-'));
  const parent = startParent(deaf, { graceSeconds: 1, removeIfOrphaned: folder });
  await once(parent.stdout, 'data');
  parent.kill('SIGKILL');

  expect(await text(parent.stdout)).toBe('');
  await eventually(() => expect(existsSync(folder)).toBe(false));
});

async function start(script: string, options: Omit<KeptProcessOptions, 'output'>) {
  const lines: string[] = [];
  const first = Promise.withResolvers<string>();
  const output = (line: string) => {
    lines.push(line);
    first.resolve(line);
  };
  const kept = await spawnKept(process.execPath, ['-e', script], { ...options, output });
  return { kept, lines, firstLine: first.promise };
}

/** A process of its own that starts the command and can be killed in our stead. */
function startParent(script: string, options: Omit<KeptProcessOptions, 'output'>) {
  const parent = `
    const { spawnKept } = await import(${JSON.stringify(new URL('childProcess.ts', import.meta.url).href)});
    await spawnKept(process.execPath, ['-e', ${JSON.stringify(script)}], ${JSON.stringify({ ...options, output: 'inherit' })});
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', parent], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.setEncoding('utf8');
  return child;
}
