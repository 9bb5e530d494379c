import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { outbox } from './test/terminal.ts';

test('help goes to stdout and exits 0', async () => {
  const { code, stdout, stderr } = await outbox(['--help']);
  expect(code).toBe(0);
  expect(stdout).toContain('Usage: outbox');
  expect(stderr).toBe('');
});

test('an unknown command exits 2 and suggests the nearest', async () => {
  const { code, stdout, stderr } = await outbox(['completio']);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('Did you mean completion?');
});

test('no command at all exits 2 with the help on stderr', async () => {
  const { code, stdout, stderr } = await outbox([]);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('Usage: outbox');
});

test('wrong usage with --json is one JSON document on stdout', async () => {
  const { code, document } = await outbox(['completion', 'fish', '--json']);
  expect(code).toBe(2);
  expect(document()).toMatchObject({ error: { kind: 'usage' } });
});

test('the completion of bash offers commands, and the options of a command', async () => {
  const { stdout } = await outbox(['completion', 'bash']);
  const complete = (line: string[]) =>
    execFileSync('bash', [
      '-c',
      `${stdout}\nCOMP_WORDS=(outbox ${line.join(' ')}); COMP_CWORD=${line.length}; _outbox; echo "\${COMPREPLY[@]}"`,
    ])
      .toString()
      .trim();
  expect(complete(['compl'])).toBe('completion');
  expect(complete(['completion', '--he'])).toBe('--help');
});
