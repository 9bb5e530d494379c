import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';

/** The named vector of the collection, as the worker writes it. */
const vectorName = 'interpretation_embedding';
const vectorSize = 1_024;

/** Makes the collection that the worker would make, where there is none yet. */
export async function createCollection(url: string, collection: string): Promise<void> {
  const vectors = { [vectorName]: { size: vectorSize, distance: 'Cosine' } };
  const response = await put(`${url}/collections/${collection}`, { vectors });
  const exists = 409;
  if (!response.ok && response.status !== exists) throw await problemOf(response);
}

/**
 * Puts recordings into the index, as if a worker had been there. Their vectors are placeholders: the relay asks
 * only whether there is a point.
 */
export async function index(
  url: string,
  collection: string,
  recordings: { isrc: string; title: string }[],
): Promise<void> {
  const vector = { [vectorName]: Array.from({ length: vectorSize }, () => 1) };
  const points = recordings.map(({ isrc, title }) => ({
    id: hashIsrcToUuid(isrc),
    vector,
    payload: { isrc, title },
  }));
  const response = await put(`${url}/collections/${collection}/points?wait=true`, { points });
  if (!response.ok) throw await problemOf(response);
}

function put(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function problemOf(response: Response): Promise<Error> {
  return new Error(
    `The stand-in for Qdrant answered ${response.status} to PUT ${response.url}: ${await response.text()}`,
  );
}
