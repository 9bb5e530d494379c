import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startProcess } from '@segue/testing/process.ts';
import { expect, onTestFinished, test } from 'vitest';

/** Sends the signal as soon as a library begins to load, and says so. */
const whileLoading = `
  import { writeSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  let sent = false;
  registerHooks({ load(url, context, next) {
    if (!sent && url.includes('/node_modules/zod/')) {
      sent = true;
      writeSync(1, 'loading\\n');
      process.kill(process.pid, process.env.SIGNAL);
    }
    return next(url, context);
  } });
`;

test.each([
  ['apps/api/main.ts', 'SIGTERM'],
  ['apps/api/main.ts', 'SIGINT'],
  ['apps/relay/main.ts', 'SIGTERM'],
  ['apps/local/standIn/main.ts', 'SIGTERM'],
])('%s that is still loading ends with 0 at %s', async (entry, signal) => {
  const folder = await mkdtemp(join(tmpdir(), 'segue-signal-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const hook = join(folder, 'hook.mjs');
  await writeFile(hook, whileLoading);
  const child = await startProcess(entry, {
    NODE_OPTIONS: `--import=${pathToFileURL(hook).href}`,
    SIGNAL: signal,
  });

  // Without a configuration it would end with 1 a moment later.
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.output).toEqual(['loading']);
});
