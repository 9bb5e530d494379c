import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Bench, Part, PartResult } from '../bench.ts';
import type { Database } from '../database.ts';
import { addedAlbums, addedTracks } from '../queries/additions.ts';
import { type ApiProcess, type Measurement, startApi } from '../queries/apiProcess.ts';
import { type Candidate, compose, composeAdditions } from '../queries/compose.ts';
import { hostile } from '../queries/hostile.ts';
import { fillLibrary } from '../queries/library.ts';
import { number } from '../table.ts';

/** The worst that one permitted query, and many at once, do to an API with the heap of its container. */
export const queries: Part = { name: 'queries', title: 'The worst query', run };

/** From the largest down, until one is permitted. */
const sizes = [200, 150, 100, 75, 50, 30, 20, 10, 5, 2, 1];
const atOnce = 20;
const mostMemoryMb = 150;
const mostHeldMs = 200;
const mostLivezMs = 1_000;

type Found = {
  name: string;
  query: string;
  variables?: object;
  size: number | null;
  measured: Measurement | null;
};

async function run(bench: Bench): Promise<PartResult> {
  await using database = await bench.server.createDatabase({ migrated: true });
  await fillLibrary(database.sql, 'local');
  const schema = await readFile(new URL('../../apps/api/graphql/schema.graphql', import.meta.url), 'utf8');
  const all = compose(schema, await idsIn(database));
  const chosen = all.filter((_, place) => place % Math.ceil(1 / bench.scale) === 0);

  const found: Found[] = [];
  await withApi(database, {}, async api => {
    for (const [place, candidate] of chosen.entries()) {
      found.push(await largestPermitted(api, candidate));
      if (place % 50 === 49) bench.progress(`${place + 1} of ${chosen.length} queries`);
    }
  });
  await withApi(database, { NODE_ENV: 'development' }, async api => {
    for (const { name, query, variables } of hostile) {
      const measured = await api.measure(query, { variables });
      found.push({ name, query, size: null, measured, ...(variables && { variables }) });
    }
  });

  const failed = await whileStatusesFail(database);
  const additions = await worstAdditions(bench, database, schema);

  // Again, each in a process of its own: what came before leaves its memory behind.
  const again: Found[] = [];
  for (const each of worstOf(found)) {
    await withApi(database, { NODE_ENV: 'development' }, async api => {
      again.push({ ...each, measured: await api.measure(each.query, { variables: each.variables }) });
    });
  }
  const together: Found[] = [];
  for (const each of worstOf(again).slice(0, 3)) {
    await withApi(database, { NODE_ENV: 'development' }, async api => {
      const measured = await api.measure(each.query, { times: atOnce, variables: each.variables });
      together.push({ ...each, name: `${atOnce} at once: ${each.name}`, measured });
    });
  }

  const alone = [...again, ...failed, ...additions].flatMap(({ measured }) => measured ?? []);
  const most = (of: (measured: Measurement) => number) => Math.max(...alone.map(of));
  const ended = [...found, ...failed, ...additions, ...again, ...together].filter(
    ({ measured }) => measured === null,
  );
  const livezMs = most(m => m.livezMs);
  return {
    tables: [
      {
        title: `the worst of ${found.length} queries, each in a process of its own`,
        rows: rowsOf([...again, ...failed]),
      },
      { title: 'the worst additions, with what they answer', rows: rowsOf(worstOf(additions)) },
      { title: 'the worst of them at once', rows: rowsOf(together) },
    ],
    goals: [
      {
        goal: 'no query ends the process',
        measured: ended.length === 0 ? 'none' : ended.map(({ name }) => name).join('; '),
        met: ended.length === 0,
      },
      {
        goal: `a query takes ${mostMemoryMb} MB at the most`,
        measured: `${number(most(m => m.memoryMb))} MB`,
        met: most(m => m.memoryMb) <= mostMemoryMb,
      },
      {
        goal: `a query holds the event loop for ${mostHeldMs} ms of CPU at the most`,
        measured: `${number(most(m => m.heldCpuMs))} ms (${number(most(m => m.heldMs))} ms of the clock)`,
        met: most(m => m.heldCpuMs) <= mostHeldMs,
      },
      {
        goal: '/livez answers within a second meanwhile',
        measured: `${number(livezMs)} ms`,
        met: livezMs <= mostLivezMs,
      },
    ],
    figures: {
      queries: found.length,
      additions: figuresOf(additions),
      alone: figuresOf(again),
      together: figuresOf(together),
    },
  };
}

/** Each of the tracks has an error beside it then. */
async function whileStatusesFail(database: Database): Promise<Found[]> {
  const query =
    '{ getLibraryAlbums(first: 200) { trackListing { title isIndexed ingestion { status reason } } } }';
  const found: Found[] = [];
  await database.sql`ALTER TABLE ingestion_ledger RENAME TO moved_ledger`;
  await withApi(database, {}, async api => {
    found.push(
      await largestPermitted(api, {
        name: 'all fields of a status, while none can be read',
        query: size => query.replace('200', String(size)),
      }),
    );
  });
  await database.sql`ALTER TABLE moved_ledger RENAME TO ingestion_ledger`;
  return found;
}

/** Additions with what they answer. What was added is taken away again: the next would find it there. */
async function worstAdditions(bench: Bench, database: Database, schema: string): Promise<Found[]> {
  const child = fork(new URL('../queries/tidalProcess.ts', import.meta.url));
  const [{ apiUrl, authUrl }] = (await once(child, 'message')) as [{ apiUrl: string; authUrl: string }];
  const all = composeAdditions(schema, { albums: addedAlbums.ids, tracks: addedTracks });
  const chosen = all.filter((_, place) => place % Math.ceil(1 / bench.scale) === 0);
  const found: Found[] = [];
  await withApi(database, { TIDAL_API_URL: apiUrl, TIDAL_AUTH_URL: authUrl }, async api => {
    const measureOnce: Pick<ApiProcess, 'measure'> = {
      async measure(...given) {
        const measured = await api.measure(...given);
        await removeAdded(database);
        return measured;
      },
    };
    for (const candidate of chosen) found.push(await largestPermitted(measureOnce, candidate));
  });
  child.disconnect();
  bench.progress(`${chosen.length} additions`);
  return found;
}

async function removeAdded({ sql }: Database): Promise<void> {
  await sql`DELETE FROM library_albums WHERE tidal_album_id = ANY(${addedAlbums.ids})`;
  await sql`DELETE FROM library_tracks WHERE tidal_track_id = ANY(${addedTracks})`;
}

async function idsIn({ sql }: Database): Promise<Record<string, string>> {
  const [album] = await sql<
    [{ id: string }]
  >`SELECT id FROM library_albums ORDER BY track_count DESC LIMIT 1`;
  const [track] = await sql<[{ id: string }]>`SELECT id FROM library_tracks LIMIT 1`;
  return { getLibraryAlbum: album.id, getLibraryTrack: track.id };
}

/** Gives the work an API, and another whenever one has ended. */
async function withApi(
  { url }: Database,
  settings: Record<string, string>,
  work: (api: Pick<ApiProcess, 'measure'>) => Promise<void>,
): Promise<void> {
  let api = await startApi(url, settings);
  try {
    await work({
      async measure(...given) {
        const measured = await api.measure(...given);
        if (measured === null) api = await startApi(url, settings);
        return measured;
      },
    });
  } finally {
    await api.stop();
  }
}

async function largestPermitted(
  api: Pick<ApiProcess, 'measure'>,
  { name, query }: Candidate,
): Promise<Found> {
  let last: Found | undefined;
  for (const size of sizes) {
    const text = query(size);
    if (last?.query === text) break;
    last = { name, query: text, size, measured: await api.measure(text) };
    if (last.measured?.code !== 'QUERY_TOO_COSTLY') break;
  }
  return last as Found;
}

/** The first five by memory, by the time that the event loop was held, by the time in all, and by the answer. */
function worstOf(found: Found[]): Found[] {
  const by = (of: (measured: Measurement) => number) =>
    found
      .filter(({ measured }) => measured !== null)
      .toSorted((a, b) => of(b.measured as Measurement) - of(a.measured as Measurement))
      .slice(0, 5);
  const worst = [by(m => m.memoryMb), by(m => m.heldCpuMs), by(m => m.ms), by(m => m.answerMb)];
  return [...new Set(worst.flat())];
}

function rowsOf(found: Found[]): string[][] {
  return [
    ['query', 'page', 'status', 'answer MB', 'memory MB', 'held, CPU ms', 'held, ms', '/livez ms', 'ms'],
    ...found.map(({ name, size, measured }) => [
      name.length > 90 ? `${name.slice(0, 87)}…` : name,
      size === null ? '' : String(size),
      ...(measured === null
        ? ['ended', '', '', '', '', '', '']
        : [
            String(measured.status),
            number(measured.answerMb, 1),
            number(measured.memoryMb),
            number(measured.heldCpuMs),
            number(measured.heldMs),
            number(measured.livezMs),
            number(measured.ms),
          ]),
    ]),
  ];
}

function figuresOf(found: Found[]): unknown[] {
  return found.map(({ name, size, measured }) => ({ name: name.slice(0, 300), size, ...measured }));
}
