import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { startIssuer } from '@segue/api/test/tokens.ts';
import { type Bench, type Part, type PartResult, scaled } from '../bench.ts';
import type { AttackedBy, AttackOrder } from '../hostile/attackProcess.ts';
import { tidalIds } from '../hostile/catalogue.ts';
import { uselessKeys } from '../hostile/inputs/access.ts';
import { send, type Target } from '../hostile/target.ts';
import { startApi } from '../queries/apiProcess.ts';
import { fillLibrary } from '../queries/library.ts';
import { percentile } from '../statistics.ts';
import { addSteadily } from '../steadyAdditions.ts';
import { number } from '../table.ts';

/** Ten minutes of everything that an API should stand, beside a client that adds an item each second. */
export const hostile: Part = { name: 'hostile', title: 'The API under attack', onlyByName: true, run };

const fullSeconds = 600;
const mostP99Ms = 1_000;
/** The default of `API_REQUEST_TIMEOUT_MS`. */
const requestTimeoutMs = 40_000;
const users = ['client', 'rich', 'plain', 'paging', 'web', 'albums', 'bulks', 'odd', 'fuzz'];
/** Of the user who pages and removes. */
const pagedTracks = 10_000;

async function run(bench: Bench): Promise<PartResult> {
  const seconds = scaled(bench, fullSeconds, 10);
  await using database = await bench.server.createDatabase({ migrated: true });
  await fillLibrary(database.sql, 'rich');
  await database.sql`
    INSERT INTO library_tracks (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit)
    SELECT 'paging', n::text, 'Title ' || n, 'Artist ' || n % 100, '', 200, false FROM generate_series(1, ${pagedTracks}) AS n`;
  await using issuer = await startIssuer();
  issuer.publish([...uselessKeys, JSON.parse(issuer.publicKey())]);
  const tokens = Object.fromEntries(
    await Promise.all(users.map(async user => [user, await issuer.tokenOf({ sub: user })])),
  );
  const tidal = await startTidal(seconds + 10);
  const api = await startApi(database.url, {
    TIDAL_API_URL: tidal.apiUrl,
    TIDAL_AUTH_URL: tidal.authUrl,
    AUTH_JWKS_URL: issuer.jwksUrl,
    AUTH_ISSUER: 'https://issuer.example.com',
    AUTH_AUDIENCE: 'segue',
    // With tokens there is a rule of hosts where one is asked for.
    API_ALLOWED_HOSTS: 'api.example.com',
    NODE_ENV: 'development',
  });
  try {
    const attack = startAttack({ url: api.address, tokens, requestTimeoutMs });
    const client = await beClient({ url: api.address, token: tokens.client as string }, seconds, bench);
    const attackedBy = await attack.stop();
    return resultOf(client, attackedBy, await api.peakMb(), api.ended());
  } finally {
    await api.stop();
    tidal.stop();
  }
}

type ClientOutcome = { ms: number[]; faults: string[] };

/** Adds a track each second, whether or not those before were answered. */
async function beClient(target: Target, seconds: number, bench: Bench): Promise<ClientOutcome> {
  const outcome: ClientOutcome = { ms: [], faults: [] };
  const query = `mutation ($id: ID!) { addTrackToLibrary(input: {tidalTrackId: $id}) { __typename ... on LibraryTrack { id isrc ingestion { status } } } }`;
  await addSteadily({ perSecond: 1, seconds }, async count => {
    const start = performance.now();
    try {
      const { status, text } = await send(target, {
        body: { query, variables: { id: tidalIds.ofClient(count) } },
      });
      if (status !== 200 || text.includes('"errors"') || !text.includes('"LibraryTrack"')) {
        outcome.faults.push(`${status} ${text.slice(0, 300)}`);
      }
    } catch (error) {
      outcome.faults.push(String((error as Error).cause ?? error));
    }
    outcome.ms.push(performance.now() - start);
    if (count % 60 === 59) {
      bench.progress(
        `${count + 1} s: p99 ${number(percentile(outcome.ms, 99))} ms, ${outcome.faults.length} errors`,
      );
    }
  });
  return outcome;
}

function startAttack(order: AttackOrder) {
  const child = fork(new URL('../hostile/attackProcess.ts', import.meta.url), { serialization: 'advanced' });
  child.send(order);
  return {
    async stop(): Promise<AttackedBy[]> {
      const told = once(child, 'message');
      child.send('stop');
      const [attackedBy] = (await Promise.race([told, wait(2 * requestTimeoutMs, [[]])])) as [AttackedBy[]];
      child.kill();
      return attackedBy;
    },
  };
}

async function startTidal(clientTracks: number) {
  const child = fork(new URL('../hostile/tidalProcess.ts', import.meta.url), {
    env: { ...process.env, CLIENT_TRACKS: String(clientTracks) },
  });
  const [addresses] = (await once(child, 'message')) as [{ apiUrl: string; authUrl: string }];
  return { ...addresses, stop: () => child.disconnect() };
}

function resultOf(
  { ms, faults }: ClientOutcome,
  attackedBy: AttackedBy[],
  peakMb: number | null,
  apiEnded: boolean,
): PartResult {
  const p99 = percentile(ms, 99);
  const wrong = attackedBy.filter(({ faults }) => faults > 0);
  const failures = attackedBy.flatMap(({ examples }) => examples.filter(text => /\b5\d\d\b/.test(text)));
  const asked = attackedBy.reduce((sum, { times }) => sum + times, 0);
  return {
    tables: [
      {
        title: `the client beside ${number(asked)} hostile requests`,
        rows: [
          ['additions', 'errors', 'p50 ms', 'p99 ms', 'slowest ms', 'memory of the API MB'],
          [
            String(ms.length),
            String(faults.length),
            number(percentile(ms, 50)),
            number(p99),
            number(Math.max(...ms)),
            peakMb === null ? '' : number(peakMb),
          ],
        ],
      },
      {
        title: 'the attack',
        rows: [
          ['input', 'times', 'wrong answers', 'slowest ms'],
          ...attackedBy.map(({ name, times, faults, slowestMs }) => [
            name,
            number(times),
            number(faults),
            number(slowestMs),
          ]),
        ],
      },
      ...(wrong.length + faults.length === 0
        ? []
        : [
            {
              title: 'what was wrong',
              rows: [
                ['input', 'answer'],
                ...faults.slice(0, 5).map(text => ['the client', text]),
                ...wrong.flatMap(({ name, examples }) => examples.map(text => [name, text])),
              ],
            },
          ]),
    ],
    goals: [
      { goal: 'the client has no error', measured: String(faults.length), met: faults.length === 0 },
      {
        goal: `p99 of the client is below ${number(mostP99Ms)} ms`,
        measured: `${number(p99)} ms`,
        met: p99 < mostP99Ms,
      },
      {
        goal: 'every answer to the attack is right, and none of them 5xx',
        measured:
          attackedBy.length === 0
            ? 'the attack did not end'
            : wrong.map(({ name }) => name).join('; ') || 'all',
        met: attackedBy.length > 0 && wrong.length === 0 && failures.length === 0,
      },
      { goal: 'the API does not end', measured: apiEnded ? 'it ended' : 'it runs', met: !apiEnded },
    ],
    figures: { ms: ms.map(Math.round), faults, attackedBy, peakMb },
  };
}
