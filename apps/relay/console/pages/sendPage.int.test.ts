import { useDatabase } from '@segue/testing/database.ts';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createConsole } from '../test/console.ts';

const database = useDatabase();

test.each(['/console/', '/console/requests', '/console/albums', '/console/actions'])(
  'the head of %s is there before the database has said how things stand',
  async path => {
    const server = await createConsole({ sql: database.sql });
    const address = await server.listen({ host: '127.0.0.1', port: 0 });
    const locked = await database.sql.reserve();
    await locked`BEGIN`;
    await locked`LOCK TABLE ingestion_figures IN ACCESS EXCLUSIVE MODE`;
    const response = await fetch(address + path);
    const reader = (response.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    const { value: head = '' } = await reader.read();
    await locked`ROLLBACK`;
    locked.release();
    expect(head).toMatch(/^<!doctype html>[\s\S]*console\.css[\s\S]*<\/header>\s*$/);

    let rest = '';
    for (let next = await reader.read(); !next.done; next = await reader.read()) rest += next.value;
    expect(rest).toMatch(/^<div class="state"[\s\S]*<\/main>\s*<\/body>\s*<\/html>$/);
  },
);

test('a page that fails after its head says so to the reader and in the log', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'error' }, { write: line => void lines.push(line) });
  const health = () => {
    throw new Error('a fault of ours');
  };
  const server = await createConsole({ sql: database.sql, logger, health });
  for (const url of ['/console/', '/console/requests']) {
    const { body } = await server.inject({ url, headers: { host: 'localhost' } });
    expect(body).toContain('Something went wrong on our side');
    expect(body).not.toContain('a fault of ours');
    const { event, error, requestId } = JSON.parse(lines.pop() ?? '{}');
    expect({ event, error }).toEqual({ event: 'request_failed', error: 'a fault of ours' });
    expect(body).toContain(requestId);
  }
});
