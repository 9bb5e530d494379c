import type { FastifyInstance } from 'fastify';
import { renderParts } from '../pages/parts.ts';
import type { Snapshot, Watch } from './watch.ts';

/** More tabs than that wait for their turn: the page works without. */
const mostStreams = 500;
/** Proxies cut what is silent for long. */
const heartbeatMs = 15_000;
/** Then the browser connects anew, and its session is looked at again. */
const longestMs = 10 * 60_000;

/**
 * Serves the parts of pages that change, as server-sent events: one reading of the database and one rendering for all
 * tabs.
 */
export function serveStream(server: FastifyInstance, watch: Watch): void {
  const ends = new Set<() => void>();
  let rendered: { of: Snapshot; message: string } | undefined;

  function messageOf(snapshot: Snapshot): string {
    if (rendered?.of !== snapshot) {
      const parts = Object.entries(renderParts(snapshot)).map(([name, markup]) => [name, String(markup)]);
      const data = JSON.stringify(Object.fromEntries(parts));
      rendered = { of: snapshot, message: `id: ${snapshot.readAt}\nevent: parts\ndata: ${data}\n\n` };
    }
    return rendered.message;
  }

  server.get('/live', { config: { right: 'read' } }, async (request, reply) => {
    if (ends.size >= mostStreams) return await reply.code(503).header('retry-after', '30').send('');
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...reply.getHeaders(),
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    } as Record<string, string>);
    raw.write('retry: 3000\n\n');
    const unfollow = watch.follow(snapshot => {
      // A tab that does not take what it is sent misses some, and none piles up.
      if (!raw.writableNeedDrain) raw.write(messageOf(snapshot));
    });
    const heartbeat = setInterval(() => {
      if (!raw.writableNeedDrain) raw.write(':\n\n');
    }, heartbeatMs);
    const end = () => {
      clearInterval(heartbeat);
      clearTimeout(longest);
      unfollow();
      ends.delete(end);
      raw.end();
    };
    const longest = setTimeout(end, longestMs);
    ends.add(end);
    request.raw.on('close', end);
    raw.on('error', end);
  });

  server.addHook('preClose', async () => {
    for (const end of ends) end();
  });
}
