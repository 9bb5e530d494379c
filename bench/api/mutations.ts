import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import autocannon from 'autocannon';
import type { Bench } from '../bench.ts';
import { firstTidalId } from '../sink/tidalTrack.ts';
import { addSteadily } from '../steadyAdditions.ts';
import { startApi } from './api.ts';
import type { Scheduling } from './scheduling.ts';

/** The first mutations find an API that is not compiled yet. */
const warmUpSeconds = 2;

const mutation = `mutation Add($id: ID!) {
  addTrackToLibrary(input: { tidalTrackId: $id }) {
    __typename
    ... on LibraryTrack { id title artistName albumName duration coverArtUrl explicit isrc createdAt }
  }
}`;

type Shot = {
  url: string;
  /** The body of the next addition; each adds another track. */
  nextBody: () => string;
  /** Told every answer. */
  onAnswer: (body: string) => void;
};

/** As many mutations as the API answers to so many connections. @returns ms of each after the warm-up */
export function timeMutations(
  bench: Bench,
  scheduling: Scheduling,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<number[]> {
  return withApi(bench, scheduling, async shot => {
    await shoot(shot, { connections, duration: warmUpSeconds });
    return await shoot(shot, { connections, duration: seconds });
  });
}

/** Mutations evenly over time, whether or not those before were answered. @returns ms of each after the warm-up */
export function timeSteadyMutations(
  bench: Bench,
  scheduling: Scheduling,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<number[]> {
  return withApi(bench, scheduling, async shot => {
    // Not autocannon: it sends a second's share as fast as it can, and then waits for the next second.
    const agent = new Agent({ keepAlive: true });
    const times: number[] = [];
    try {
      await addSteadily({ perSecond, seconds: warmUpSeconds + seconds }, async number => {
        const start = performance.now();
        shot.onAnswer(await post(agent, shot.url, shot.nextBody()));
        if (number >= perSecond * warmUpSeconds) times.push(performance.now() - start);
      });
    } finally {
      agent.destroy();
    }
    return times;
  });
}

async function withApi(
  { server, sink }: Bench,
  scheduling: Scheduling,
  time: (shot: Shot) => Promise<number[]>,
): Promise<number[]> {
  await using database = await server.createDatabase({ migrated: true });
  await server.checkpoint();
  const api = await startApi(database.url, sink.url, scheduling);
  try {
    let nextId = firstTidalId + 1;
    let refused = 0;
    const times = await time({
      url: api.url,
      nextBody: () => JSON.stringify({ query: mutation, variables: { id: String(nextId++) } }),
      onAnswer: body => {
        if (!body.includes('"LibraryTrack"')) refused += 1;
      },
    });
    if (refused > 0) throw new Error(`${refused} mutations were refused`);
    return times;
  } finally {
    await api.stop();
  }
}

/** @returns ms of each answer; autocannon itself keeps whole ones alone */
function shoot(
  { url, nextBody, onAnswer }: Shot,
  options: { connections: number; duration: number },
): Promise<number[]> {
  const times: number[] = [];
  const add: autocannon.Request = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    setupRequest: request => ({ ...request, body: nextBody() }),
    onResponse: (_status, body) => onAnswer(body),
  };
  return new Promise((resolve, reject) => {
    const shooting = autocannon({ url, requests: [add], ...options }, error =>
      error ? reject(error) : resolve(times),
    );
    shooting.on('response', (_client, _status, _bytes, milliseconds) => times.push(milliseconds));
  });
}

async function post(agent: Agent, url: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const sent = request(url, { agent, method: 'POST', headers }).end(body);
  const [answer] = await once(sent, 'response');
  return await text(answer);
}
