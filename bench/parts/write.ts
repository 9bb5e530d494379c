import autocannon from 'autocannon';
import { startApi } from '../api/api.ts';
import type { Scheduling } from '../api/scheduling.ts';
import { type Bench, type Part, type PartResult, rounds, scaled } from '../bench.ts';
import { firstTidalId } from '../sink/tidalTrack.ts';
import { type Measured, measured, percentile, ratio } from '../statistics.ts';
import { number, withSpread } from '../table.ts';

/** What the outbox costs the mutation that adds a track, beside the design that it replaces. */
export const write: Part = { name: 'write', title: 'The write side', run };

const connections = 50;
/** The first mutations find an API that is not compiled yet. */
const warmUpSeconds = 2;
const atMost = 1.1;

type Variant = { name: string; scheduling: Scheduling };

const without: Variant = { name: 'without an outbox', scheduling: 'none' };
const withOutbox: Variant = { name: 'with the outbox', scheduling: 'outbox' };
const variants: Variant[] = [
  without,
  withOutbox,
  { name: 'index check and send in the request', scheduling: 'in the request' },
];

const mutation = `mutation Add($id: ID!) {
  addTrackToLibrary(input: { tidalTrackId: $id }) {
    __typename
    ... on LibraryTrack { id title artistName albumName duration coverArtUrl explicit isrc createdAt }
  }
}`;

async function run(bench: Bench): Promise<PartResult> {
  const seconds = scaled(bench, 3);
  const runs = new Map(variants.map(variant => [variant, [] as number[][]]));
  for (let round = 1; round <= rounds; round++) {
    for (const variant of variants) {
      const times = await timeMutations(bench, variant, seconds);
      runs.get(variant)?.push(times);
      bench.progress(`${variant.name}: p50 ${number(percentile(times, 50), 1)} ms`);
    }
  }

  const at = (variant: Variant, share: number) =>
    measured((runs.get(variant) as number[][]).map(times => percentile(times, share)));
  const against = (variant: Variant, share: number) => ratio(at(variant, share), at(without, share));
  const cost = (share: number): Measured => against(withOutbox, share);
  return {
    tables: [
      {
        title: `addTrackToLibrary at ${connections} connections, ms`,
        rows: [
          ['', 'p50', '÷ without', 'p99', '÷ without', 'mutations/s'],
          ...variants.map(variant => [
            variant.name,
            ...[50, 99].flatMap(share => [
              withSpread(at(variant, share), 1),
              variant === without ? '' : withSpread(against(variant, share), 2),
            ]),
            withSpread(measured((runs.get(variant) as number[][]).map(times => times.length / seconds)), 0),
          ]),
        ],
      },
    ],
    goals: [50, 99].map(share => ({
      goal: `the outbox costs at most ${Math.round((atMost - 1) * 100)} % of the mutation's p${share}`,
      measured: `${withSpread(cost(share), 2)} ×`,
      met: cost(share).median <= atMost,
    })),
    figures: {
      connections,
      seconds,
      milliseconds: Object.fromEntries(
        variants.map(variant => [variant.name, { p50: at(variant, 50), p99: at(variant, 99) }]),
      ),
    },
  };
}

/** @returns ms of each mutation after the warm-up */
async function timeMutations(bench: Bench, variant: Variant, seconds: number): Promise<number[]> {
  const { server, sink } = bench;
  await using database = await server.createDatabase({ migrated: true });
  await server.checkpoint();
  const api = await startApi(database.url, sink.url, variant.scheduling);
  try {
    let nextId = firstTidalId + 1;
    let refused = 0;
    const add: autocannon.Request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      setupRequest: request => ({
        ...request,
        body: JSON.stringify({ query: mutation, variables: { id: String(nextId++) } }),
      }),
      onResponse: (_status, body) => {
        if (!body.includes('"LibraryTrack"')) refused += 1;
      },
    };
    const options = { url: api.url, connections, requests: [add] };
    await shoot({ ...options, duration: warmUpSeconds });
    const times = await shoot({ ...options, duration: seconds });
    if (refused > 0) throw new Error(`${refused} mutations were refused`);
    return times;
  } finally {
    await api.stop();
  }
}

/** @returns ms of each answer; autocannon itself keeps whole ones alone */
function shoot(options: autocannon.Options): Promise<number[]> {
  const times: number[] = [];
  return new Promise((resolve, reject) => {
    const shooting = autocannon(options, error => (error ? reject(error) : resolve(times)));
    shooting.on('response', (_client, _status, _bytes, milliseconds) => times.push(milliseconds));
  });
}
