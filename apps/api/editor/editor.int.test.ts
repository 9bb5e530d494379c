import { listen } from '@segue/http/listen.ts';
import { chromiumPath, openBrowser } from '@segue/testing/chromium.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, test } from 'vitest';
import { catalogTrack, fakeCatalog } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

const here = useLibrary();

test.skipIf(chromiumPath === undefined)(
  'an example runs in a browser that has no network, and nothing is refused by the policy',
  async () => {
    const track = catalogTrack({ tidalId: '53834611', title: 'Blue in Green' });
    const server = await serverOf(here.libraryWith(fakeCatalog({ tracks: [track] })));
    const address = await listen(server, { variables: 'API', host: '127.0.0.1', port: 0 });
    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('console', message => {
        if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
      });
      page.on('pageerror', error => problems.push(error.message));
      page.on('requestfailed', request => problems.push(`${request.url()} failed`));
      const elsewhere: string[] = [];
      page.on('request', request => {
        const { origin } = new URL(request.url());
        if (origin !== address && origin !== 'null') elsewhere.push(request.url());
      });

      await page.goto(`${address}/graphiql`);
      const tabs = page.getByRole('tab');
      await tabs.getByText('AddTrack', { exact: true }).click();
      const titles = (await tabs.allTextContents()).map(text => text.replace(/ icon$/, ''));
      expect(titles).toEqual([
        'AddAlbum',
        'AddTrack',
        'AddTracks',
        'AddAlbums',
        'Tracks',
        'Album',
        'Find',
        'Figures',
        'RemoveTrack',
      ]);
      // GraphiQL reads the name of the tab's operation 0.1 s after the tab is chosen. Run before that, it asks by the name
      // of the tab before, which is refused.
      const operation = () =>
        page
          .locator('.graphiql-query-editor .CodeMirror')
          .evaluate(
            editor =>
              (editor as unknown as { CodeMirror: { operationName?: string } }).CodeMirror.operationName,
          );
      await eventually(async () => expect(await operation()).toBe('AddTrack'));
      await page.getByRole('button', { name: /execute query/i }).click();
      await page.locator('.result-window').getByText('"Blue in Green"').waitFor();
      // The documentation is there only when the schema was read.
      await page.getByRole('button', { name: /documentation explorer/i }).click();
      await page.getByText('addTracksToLibrary').or(page.getByText('Root Types')).first().waitFor();

      expect(problems).toEqual([]);
      expect(elsewhere).toEqual([]);
      expect(await here.sql`SELECT FROM library_tracks WHERE tidal_track_id = '53834611'`).toHaveLength(1);
    } finally {
      await browser.close();
      await server.close();
    }
  },
);
