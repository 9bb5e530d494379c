import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { onTestFinished } from 'vitest';

/**
 * Runs a few lines as a process of their own, which ends with the test at the latest. They have `run`,
 * `ConfigurationError`, `crashPoint` and a `logger`.
 */
export async function startScript(body: string, env: Record<string, string> = {}): Promise<RunningProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-script-'));
  const entry = join(folder, 'script.mjs');
  await writeFile(entry, imports + body);
  const child = await startProcess(entry, env);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child.exited;
    await rm(folder, { recursive: true });
  });
  return child;
}

const file = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);

const imports = `
  import { crashPoint } from ${file('../crashPoint.ts')};
  import { ConfigurationError } from ${file('../environment.ts')};
  import { createLogger } from ${file('../../telemetry/logger.ts')};
  import { run } from ${file('../run.ts')};
  const logger = createLogger('script', 'info');
`;
