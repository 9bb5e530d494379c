import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from '@segue/database/connection.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { scrollPointIds } from '@segue/track-index/scroll.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { choosePort } from '../services/ports.ts';
import { inngestPort } from '../services/standIns.ts';
import { libraryApiAt } from '../tour/libraryApi.ts';
import { childrenOf, expectAllGone, newDataFolder, startSegue, untilUp } from './segue.ts';

const tourOutcomes = [
  ['So What', 'USSM15900113', 'track', 'scheduled', 'track-ingestion:USSM15900113:1', 'INDEXED'],
  ['So What', 'USSM15900113', 'album', 'skipped', 'duplicate', 'INDEXED'],
  ['Freddie Freeloader', 'USSM15900114', 'album', 'scheduled', 'track-ingestion:USSM15900114:1', 'INDEXED'],
  ['Blue in Green', 'USSM15900115', 'album', 'scheduled', 'track-ingestion:USSM15900115:1', 'INDEXED'],
  ['All Blues', 'USSM15900116', 'album', 'scheduled', 'track-ingestion:USSM15900116:1', 'INDEXED'],
  ['Flamenco Sketches', 'USSM15900117', 'album', 'scheduled', 'track-ingestion:USSM15900117:1', 'INDEXED'],
  ['Flamenco Sketches (Alternate Take)', 'album', 'not requested', 'missing_isrc', 'NOT_REQUESTED'],
];
const tableIn = (said: string) =>
  said
    .split('\n')
    .map(line => line.trim().split(/\s{2,}/))
    .filter(cells => cells.length > 4 && (cells.includes('track') || cells.includes('album')));
const noSignal = new AbortController().signal;

describe('with a database of its own', () => {
  test('the first start plays the tour, a later one finds what it left', { timeout: 180_000 }, async () => {
    const folder = await newDataFolder();
    const first = await startSegue(folder);
    await untilUp(first);
    expect(tableIn(first.said())).toEqual(tourOutcomes);
    const received = async (inngest: string) => {
      const response = await fetch(`${inngest}/v1/events?name=track/ingestion.requested`);
      const { data } = (await response.json()) as { data: { id: string }[] };
      return data.map(event => event.id).sort();
    };
    const sent = [113, 114, 115, 116, 117].map(number => `track-ingestion:USSM15900${number}:1`);
    expect(await received(first.address('Inngest'))).toEqual(sent);
    const connection = connectToIndex({
      url: first.address('Qdrant'),
      collection: 'tracks',
      timeoutMs: 10_000,
    });
    const ids = (await Array.fromAsync(scrollPointIds(connection))).flat();
    expect(ids).toEqual([113, 114, 115, 116, 117].map(number => hashIsrcToUuid(`USSM15900${number}`)).sort());
    expect(first.said()).toMatch(new RegExp(`point id +${hashIsrcToUuid('USSM15900113')}`));
    expect((await stat(folder.databaseUrl)).mode & 0o777).toBe(0o600);
    const password = new URL(await readFile(folder.databaseUrl, 'utf8')).password;
    expect(first.said()).not.toContain(password);
    const children = await childrenOf(folder);

    expect(await first.stop()).toEqual({ code: 0, signal: null });
    expect(first.output.at(-1)).toBe('Segue stops …');
    await expectAllGone(Object.values(children));
    expect(existsSync(folder.databaseUrl)).toBe(false);

    const second = await startSegue(folder);
    await untilUp(second);
    expect(second.said()).toContain('The library holds 2 items.');
    expect(tableIn(second.said())).toEqual([]);
    expect(await received(second.address('Inngest'))).toEqual(sent);

    // Its address must stay, since the programs know no other.
    process.kill((await childrenOf(folder)).postgres, 'SIGKILL');
    await second.untilSaid('PostgreSQL ended by itself (SIGKILL)');
    await second.untilSaid('PostgreSQL is running again.');
    const library = libraryApiAt(second.address('api'), noSignal);
    await eventually(async () => {
      expect((await library.addAlbum('53834610')).__typename).toMatch(
        /LibraryAlbum|DuplicateLibraryItemError/,
      );
    });
    await second.untilSaid('album_ingestion_batch total_tracks=11 scheduled_count=11');
    await second.untilSaid('document_indexed isrc=GBBKS15');
    expect(await second.stop()).toEqual({ code: 0, signal: null });
  });

  test('killed in the middle of the tour, it leaves nothing behind and plays it again', {
    timeout: 180_000,
  }, async () => {
    const folder = await newDataFolder();
    // Without Inngest nothing is settled, and the tour cannot go on. The short lease ends with the relay.
    const nobody = `http://127.0.0.1:${await choosePort(0, '127.0.0.1')}`;
    const first = await startSegue(folder, { INNGEST_DEV: nobody, RELAY_LEASE_MS: '1000' });
    await first.untilSaid('1. addTrackToLibrary');
    const children = await childrenOf(folder);
    first.kill('SIGKILL');
    await first.exited;
    await expectAllGone(Object.values(children));

    const second = await startSegue(folder);
    await untilUp(second);
    expect(second.said()).toContain('DuplicateLibraryItemError: This track is in the library already.');
    expect(tableIn(second.said())).toEqual(tourOutcomes);
  });
});

describe('with a database that was there before', () => {
  const database = useDatabase();

  test('taken ports are left alone, and it is said', async () => {
    const folder = await newDataFolder();
    const taken = await takePort(0);
    // If not by us, then by somebody else.
    await takePort(inngestPort).catch(() => undefined);
    const segue = await startSegue(folder, {
      DATABASE_URL: database.url,
      API_PORT: String(taken),
      RELAY_PORT: String(taken),
      WORKER_PORT: String(taken),
    });
    await untilUp(segue);
    const lineOf = (name: string) => segue.output.find(line => line.startsWith(`  ${name} `));
    for (const name of ['api', 'relay', 'worker']) {
      expect(lineOf(name)).toContain(`(port ${taken} is taken)`);
      expect((await fetch(`${segue.address(name)}/readyz`)).status).toBe(200);
    }
    expect(lineOf('Inngest')).toContain(`(port ${inngestPort} is taken)`);
    expect((await fetch(`${segue.address('Inngest')}/health`)).status).toBe(200);

    expect(lineOf('PostgreSQL')).toContain('real');
    expect(segue.said()).not.toContain(new URL(database.url).password);
    expect(existsSync(folder.databaseUrl)).toBe(false);
    expect(await segue.stop()).toEqual({ code: 0, signal: null });
  });

  test('a relay that dies is started again, and sends what was added meanwhile', async () => {
    const folder = await newDataFolder();
    const segue = await startSegue(folder, { DATABASE_URL: database.url });
    await untilUp(segue);
    process.kill((await childrenOf(folder)).relay, 'SIGKILL');
    await segue.untilSaid('relay ended by itself (SIGKILL). It is started again in 1 s.');
    await libraryApiAt(segue.address('api'), noSignal).addAlbum('20115556');
    await segue.untilSaid('album_ingestion_batch total_tracks=13 scheduled_count=13');

    // Ctrl-C under npm comes twice: from the terminal, and from npm. Two alike could be made one on their way.
    segue.kill('SIGINT');
    segue.kill('SIGTERM');
    expect(await segue.exited).toEqual({ code: 0, signal: null });
  });

  test('a configuration that a process refuses ends everything, with its reason', async () => {
    const folder = await newDataFolder();
    const environment = { DATABASE_URL: database.url, RELAY_BATCH_SIZE: '0' };
    const segue = await startSegue(folder, environment);
    expect(await segue.exited).toEqual({ code: 1, signal: null });
    expect(segue.output).toEqual([
      'Segue starts …',
      'Segue did not start: relay ended: wrong configuration: RELAY_BATCH_SIZE must be a whole number from 1 to 5000',
    ]);
    const sql = connect({ url: database.url, applicationName: 'segue-test', max: 1 });
    await eventually(async () => {
      const others = await sql`
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'segue-api'`;
      expect(others).toHaveLength(0);
    });
    await sql.end();
  });
});

test('half a configuration is told in one line, before anything starts', async () => {
  const segue = await startSegue(await newDataFolder(), { TIDAL_CLIENT_ID: 'id' });
  expect(await segue.exited).toEqual({ code: 1, signal: null });
  expect(segue.output).toEqual([expect.stringContaining('TIDAL_CLIENT_SECRET is not set')]);
});

async function takePort(port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
