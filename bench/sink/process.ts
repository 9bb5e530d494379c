import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { creation } from '@segue/track-index/collection.ts';
import { isIndexed } from '../recordings.ts';
import { publishedIn } from './eventIds.ts';
import { type SinkAnswer, type SinkOrder, sinkNow } from './sink.ts';
import { tidalToken, tidalTrack } from './tidalTrack.ts';

/**
 * The process behind `sink.ts`: Inngest's event API, Qdrant's retrieval by id, and TIDAL's tracks, all answered
 * in full, with as little CPU as that takes.
 */

const tracks = 'GET /v2/tracks/';

const { vectors, sparse_vectors } = creation;
/** Of the shape that a relay looks for when it first asks. */
const collection = JSON.stringify({ result: { config: { params: { vectors, sparse_vectors } } } });

/** When each id arrived first, on `process.hrtime`, which all processes of a machine share; in ms. */
let arrivals = new Map<string, number>();
let repeats = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request, response, Buffer.concat(chunks)));
});

function answer({ url = '', method }: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const [status, text] = answerTo(`${method} ${url}`, body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}

/** @returns the status, and JSON */
function answerTo(request: string, body: Buffer): [status: number, text: string] {
  if (request.startsWith('POST /e/')) return receiveEvents(body);
  if (request.startsWith('POST /collections/')) return [200, findPoints(body)];
  if (request === 'GET /collections/tracks') return [200, collection];
  if (request.startsWith(tracks)) {
    return [200, tidalTrack(request.slice(tracks.length, request.indexOf('?')))];
  }
  return request === 'POST /token' ? [200, tidalToken] : [404, '{}'];
}

/**
 * Takes all events, and names an id of the server's own for each, as Inngest does; of a call with an event that it refuses,
 * those before it.
 */
function receiveEvents(body: Buffer): [status: number, text: string] {
  const { ids, isRefused } = publishedIn(body);
  const now = sinkNow();
  for (const id of ids) {
    if (arrivals.has(id)) repeats += 1;
    else arrivals.set(id, now);
  }
  return isRefused ? [400, refusal(ids)] : [200, acceptance(ids.length)];
}

function refusal(ids: string[]): string {
  return JSON.stringify({ ids, error: 'data.title is refused', status: 400 });
}

const acceptances = new Map<number, string>();

/** The ids are ULIDs in their length, and the same in every answer: the relay only counts them. */
function acceptance(count: number): string {
  const known = acceptances.get(count);
  if (known !== undefined) return known;
  const ids = Array.from({ length: count }, (_, index) => `01J${String(index).padStart(23, '0')}`);
  const text = JSON.stringify({ ids, status: 200 });
  acceptances.set(count, text);
  return text;
}

function findPoints(body: Buffer): string {
  const { ids } = JSON.parse(body.toString('latin1')) as { ids: string[] };
  return JSON.stringify({ result: ids.filter(isIndexed).map(id => ({ id })), status: 'ok', time: 0.001 });
}

process.on('message', (order: SinkOrder) => {
  if (order.kind === 'reset') {
    arrivals = new Map();
    repeats = 0;
    say({ kind: 'reset' });
  } else {
    say({
      kind: 'report',
      repeats,
      arrivals: order.withArrivals ? [...arrivals] : [],
      events: arrivals.size,
    });
  }
});
// Whoever asked is gone.
process.on('disconnect', () => process.exit());

function say(answer: SinkAnswer): void {
  process.send?.(answer);
}

server.listen(0, '127.0.0.1', () => say({ kind: 'listening', port: (server.address() as AddressInfo).port }));
