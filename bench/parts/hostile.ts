import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { startIssuer } from '@segue/api/test/tokens.ts';
import { type Bench, type Part, type PartResult, scaled } from '../bench.ts';
import type { AttackedBy, AttackOrder } from '../hostile/attackProcess.ts';
import { tidalIds } from '../hostile/catalogue.ts';
import { uselessKeys } from '../hostile/inputs/access.ts';
import { send, type Target } from '../hostile/target.ts';
import { type ApiProcess, startApi } from '../queries/apiProcess.ts';
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
const attackersPriority = 10;
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
    const client = await beClient(api, tokens.client as string, seconds, bench);
    const attackedBy = await attack.stop();
    for (const text of client.faults.slice(0, 10)) bench.progress(`the client: ${text}`);
    for (const { name, examples } of attackedBy)
      for (const text of examples) bench.progress(`${name}: ${text}`);
    return resultOf(client, attackedBy, await api.peakMb(), api.ended());
  } finally {
    await api.stop();
    tidal.stop();
  }
}

type ClientOutcome = {
  ms: number[];
  /** What the API's thread ran meanwhile, and what it waited for a processor that other work had. */
  ran: number[];
  waited: number[];
  faults: string[];
};

/** Adds a track each second, whether or not those before were answered. */
async function beClient(
  api: ApiProcess,
  token: string,
  seconds: number,
  bench: Bench,
): Promise<ClientOutcome> {
  const target: Target = { url: api.address, token };
  const outcome: ClientOutcome = { ms: [], ran: [], waited: [], faults: [] };
  const query = `mutation ($id: ID!) { addTrackToLibrary(input: {tidalTrackId: $id}) { __typename ... on LibraryTrack { id isrc ingestion { status } } } }`;
  await addSteadily({ perSecond: 1, seconds }, async count => {
    const before = await api.mainThreadMs();
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
    const after = await api.mainThreadMs();
    if (before !== null && after !== null) {
      outcome.ran.push(after.ran - before.ran);
      outcome.waited.push(after.waited - before.waited);
    }
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
  // Attackers have machines of their own. Here they get what the API and its database leave.
  setPriority(child.pid as number, attackersPriority);
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

function spreadOf(ms: number[]): string[] {
  return [percentile(ms, 50), percentile(ms, 99), Math.max(...ms)].map(value => number(value));
}

function resultOf(
  { ms, ran, waited, faults }: ClientOutcome,
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
          ['', 'p50 ms', 'p99 ms', 'slowest ms'],
          ...[
            { name: 'an addition', ms },
            { name: 'what the API’s thread ran meanwhile', ms: ran },
            { name: 'what it waited for a processor', ms: waited },
          ].flatMap(({ name, ms }) => (ms.length === 0 ? [] : [[name, ...spreadOf(ms)]])),
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
      {
        goal: 'the API does not end',
        measured: apiEnded
          ? 'it ended'
          : `it runs, and had ${peakMb === null ? 'an unknown amount of' : number(peakMb)} MB at the most`,
        met: !apiEnded,
      },
    ],
    figures: {
      ms: ms.map(Math.round),
      ran: ran.map(Math.round),
      waited: waited.map(Math.round),
      faults,
      attackedBy,
      peakMb,
    },
  };
}
