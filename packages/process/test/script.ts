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
  const child = await startProcess(await scriptFile(body), env);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child.exited;
  });
  return child;
}

/** The file of such a process, for whoever starts it in another way. It goes with the test. */
export async function scriptFile(body: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-script-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const entry = join(folder, 'script.mjs');
  await writeFile(entry, imports + body);
  return entry;
}

const file = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);

const imports = `
  import { crashPoint } from ${file('../crashPoint.ts')};
  import { ConfigurationError } from ${file('../environment.ts')};
  import { createLogger } from ${file('../../telemetry/logger.ts')};
  import { run } from ${file('../run.ts')};
  const logger = createLogger('script', 'info');
`;
