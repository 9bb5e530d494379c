import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const isMissing = spawnSync('promtool', ['--version']).error !== undefined;
const promtool = (...options: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', options, { cwd: root, encoding: 'utf8' });
  return { status, said: stdout + stderr };
};

describe.skipIf(isMissing)(
  `promtool${isMissing ? ' (skipped: it is not installed; Debian has it in "prometheus")' : ''}`,
  () => {
    test('finds no fault in the rules', () => {
      expect(promtool('check', 'rules', 'ops/prometheus/alerts.yml')).toEqual({
        status: 0,
        said: expect.stringContaining('SUCCESS'),
      });
    });

    test('sees each alert fire where it should, and nothing else', () => {
      const { status, said } = promtool('test', 'rules', 'ops/prometheus/alerts.test.yml');
      expect([status, status === 0 ? '' : said]).toEqual([0, '']);
    });
  },
);
