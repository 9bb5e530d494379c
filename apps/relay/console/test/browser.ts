import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openBrowser } from '@segue/testing/chromium.ts';
import type { FastifyInstance } from 'fastify';

type Browser = Awaited<ReturnType<typeof openBrowser>>;
type BrowserContextOptions = NonNullable<Parameters<Browser['newContext']>[0]>;
export type Page = Awaited<ReturnType<Browser['newPage']>>;

import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';

type AxeResult = {
  violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[];
};

const axeSource = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** One browser for the tests of a file. */
export function useBrowser() {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  return {
    /**
     * Opens a page of a console. At the end of the test nothing may have gone wrong in it: no error, nothing that the
     * policy refused, no request to elsewhere.
     */
    async open(server: FastifyInstance, path: string, options: BrowserContextOptions = {}): Promise<Page> {
      const address = server.server.listening
        ? server.listeningOrigin
        : await server.listen({ host: '127.0.0.1', port: 0 });
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        baseURL: address,
        ...options,
      });
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('console', message => {
        if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
      });
      page.on('pageerror', error => problems.push(error.message));
      page.on('dialog', dialog => {
        problems.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('request', request => {
        if (new URL(request.url()).origin !== new URL(address).origin)
          problems.push(`asked ${request.url()}`);
      });
      onTestFinished(async () => {
        await context.close();
        // A page that is refused is a line in the browser's log, too.
        expect(
          problems.filter(problem => !/the server responded with a status of 4\d\d/.test(problem)),
        ).toEqual([]);
      });
      await page.goto(path);
      return page;
    },
  };
}

/** What axe finds wrong with the page as it is now. */
export async function axeFindings(page: Page): Promise<string[]> {
  // By the protocol of the browser's tools: the page's own policy would refuse the script.
  await page.evaluate(axeSource);
  const { violations } = (await page.evaluate('axe.run(document)')) as AxeResult;
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html} (${failureSummary})`),
  );
}
