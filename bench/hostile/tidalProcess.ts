import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import { hostileCatalogue, tidalIds } from './catalogue.ts';

/** TIDAL under attack, in a process of its own: it is held to a pace, and answers some requests in other shapes. */
const clientTracks = Number(process.env.CLIENT_TRACKS);
const rateLimit = { burst: 100, perSecond: 50, cost: 1 };

const tidal = await startTidal({
  host: '127.0.0.1',
  port: 0,
  catalogue: hostileCatalogue(clientTracks),
  rateLimit,
  // As the API of the benchmarks names itself.
  clientId: 'bench',
  clientSecret: 'bench',
});

/** Asks itself, and tells it in the words of another version. */
const rephrased = 'x-rephrased';
tidal.answerWith(async ({ method, url, headers }) => {
  const id = tidalIds.odderShapes.find(each => url.startsWith(`/v2/albums/${each}`));
  if (id === undefined || method !== 'GET' || headers[rephrased] !== undefined) return undefined;
  const response = await fetch(`${tidal.url}${url}`, {
    headers: { authorization: headers.authorization ?? '', [rephrased]: '1' },
  });
  const text = await response.text();
  const body = response.ok ? rephrase(tidalIds.odderShapes.indexOf(id), JSON.parse(text)) : text;
  return { status: response.status, headers: { 'content-type': 'application/vnd.api+json' }, body };
});

type Document = {
  data: { id: unknown; attributes?: Record<string, unknown> } | { id: unknown }[];
  links: { next?: unknown; meta?: unknown };
};

/** Shapes of point 16: counts as text or missing, ids as numbers, `next` as an object or only a cursor. */
function rephrase(shape: number, document: Document): Document {
  const { data, links } = document;
  if (!Array.isArray(data)) {
    if (shape === 0) delete data.attributes?.numberOfItems;
    else if (data.attributes) data.attributes.numberOfItems = String(data.attributes.numberOfItems);
    return document;
  }
  if (shape === 1) for (const item of data) item.id = Number(item.id);
  if (shape === 2) delete links.next;
  else if (links.next !== undefined) links.next = { href: links.next };
  return document;
}

process.send?.({ apiUrl: tidal.apiUrl, authUrl: tidal.authUrl });
// Whoever asked is gone.
process.on('disconnect', () => process.exit());
