import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import autocannon from 'autocannon';
import type { Bench } from '../bench.ts';
import { firstTidalId } from '../sink/tidalTrack.ts';
import { addSteadily } from '../steadyAdditions.ts';
import { startApi } from './api.ts';
import type { Scheduling } from './scheduling.ts';

/**
 * The first mutations find an API that is not compiled yet. It gets as many as it answers: evenly, at half load, 2 s are
 * too few of them.
 */
const warmUp = { connections: 50, duration: 3 };

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

type Target = Shot &
  AsyncDisposable & {
    /** @throws when a mutation was refused */
    check(): void;
  };

/** As many mutations as the API answers to so many connections. @returns ms of each after the warm-up */
export async function timeMutations(
  bench: Bench,
  scheduling: Scheduling,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<number[]> {
  await using api = await startWarm(bench, scheduling);
  const times = await shoot(api, { connections, duration: seconds });
  api.check();
  return times;
}

/**
 * Mutations evenly over time, whether or not those before were answered, of which each API gets every second one: what
 * the machine does meanwhile meets both alike. One API after the other, the same code differed by 10 % and more.
 *
 * @param perSecond of both APIs together
 * @returns ms of each, by API
 */
export async function timeInTurns(
  bench: Bench,
  schedulings: [Scheduling, Scheduling],
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<[number[], number[]]> {
  await using one = await startWarm(bench, schedulings[0]);
  await using other = await startWarm(bench, schedulings[1]);
  // Not autocannon: it sends a second's share as fast as it can, and then waits for the next second.
  const agent = new Agent({ keepAlive: true });
  const times: [number[], number[]] = [[], []];
  try {
    await addSteadily({ perSecond, seconds }, async number => {
      const [shot, ofShot] = number % 2 === 0 ? [one, times[0]] : [other, times[1]];
      const start = performance.now();
      shot.onAnswer(await post(agent, shot.url, shot.nextBody()));
      ofShot.push(performance.now() - start);
    });
  } finally {
    agent.destroy();
  }
  one.check();
  other.check();
  return times;
}

/** @returns an API on a database of its own, compiled by what it was asked already */
async function startWarm({ server, sink }: Bench, scheduling: Scheduling): Promise<Target> {
  await using started = new AsyncDisposableStack();
  const { url } = started.use(await server.createDatabase({ migrated: true }));
  await server.checkpoint();
  const api = started.adopt(await startApi(url, sink.url, scheduling), api => api.stop());
  let nextId = firstTidalId + 1;
  let refused = 0;
  const shot: Shot = {
    url: api.url,
    nextBody: () => JSON.stringify({ query: mutation, variables: { id: String(nextId++) } }),
    onAnswer: body => {
      if (!body.includes('"LibraryTrack"')) refused += 1;
    },
  };
  await shoot(shot, warmUp);
  const running = started.move();
  return {
    ...shot,
    check() {
      if (refused > 0) throw new Error(`${refused} mutations were refused`);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
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
