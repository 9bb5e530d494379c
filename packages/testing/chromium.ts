import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Chromium, or a Chrome, where the system has one: in PATH, or where `CHROMIUM_PATH` says. */
export const chromiumPath: string | undefined = [
  process.env.CHROMIUM_PATH,
  ...(process.env.PATH ?? '').split(delimiter).flatMap(folder => names.map(name => join(folder, name))),
].find(path => path !== undefined && path !== '' && isExecutable(path));

/**
 * Opens a browser without a window, for which there is no network but this machine's: another name is not found, as on
 * a machine that is offline. Tests are left out where there is no Chromium: `test.skipIf(chromiumPath === undefined)`.
 */
export async function openBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error('There is no Chromium: install it, or set CHROMIUM_PATH');
  // As root, in a container, it has no sandbox of its own; /dev/shm is small there.
  return await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
