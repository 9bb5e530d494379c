import { randomUUID } from 'node:crypto';
import { connect } from '@segue/database/connection.ts';
import { readOpen } from '@segue/outbox/readOpen.ts';
import type { OpenRow } from '@segue/outbox/row.ts';
import type { RowOutcome } from '@segue/outbox/settle.ts';
import { beat } from '@segue/outbox/slots.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { type SettleDependencies, writeDown } from './settle.ts';

const database = useDatabase();
const dedupeWindowMs = 3_600_000;

let relay = '';
let epochs = new Map<number, number>();

beforeEach(async () => {
  await database.sql`TRUNCATE ingestion_outbox, ingestion_ledger, album_ingestion_batches, relays`;
  await database.sql`UPDATE relay_slots SET owner = NULL, lease_end = '-infinity'`;
  relay = randomUUID();
  const { owned } = await beat(database.sql, {
    id: relay,
    host: 'here',
    version: '1',
    state: 'running',
    leaseMs: 60_000,
    handBack: [],
  });
  epochs = new Map(owned.map(({ slot, epoch }) => [slot, epoch]));
});

/** Makes so many requests, and reads them. */
async function read(count: number): Promise<OpenRow[]> {
  await database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album)
    SELECT 'SETTL' || lpad(n::text, 7, '0'), 'Title', 'Artist', 'Album' FROM generate_series(1, ${count}::int) AS n`;
  const starts = [...epochs.keys()].map(slot => ({ slot }));
  return readOpen(database.sql, {
    starts,
    limit: 1_000,
    perSlot: 1_000,
    bytes: 1e6,
    without: [],
    dedupeWindowMs,
  });
}

/** What is written down of rows that were all sent. */
function asSent(rows: OpenRow[]): RowOutcome[] {
  const batch = decide(rows);
  for (const sending of batch.sendings) sending.outcome = { as: 'sent' };
  return conclude(batch, { maxAttempts: 3 });
}

function write(rows: RowOutcome[], given: Partial<SettleDependencies> = {}) {
  return writeDown(rows, {
    sql: database.sql,
    relay,
    epochs,
    dedupeWindowMs,
    givingUp: new AbortController().signal,
    onOutage: () => undefined,
    ...given,
  });
}

const statuses = async () => {
  const rows = await database.sql`SELECT isrc, status FROM ingestion_outbox ORDER BY isrc`;
  return rows.map(({ status }) => status);
};

/** Sessions as a relay has them, which wait for no lock. */
function impatient() {
  const sql = connect({
    url: database.url,
    applicationName: 'segue-relay',
    max: 1,
    settings: { lock_timeout: '50ms' },
  });
  onTestFinished(() => sql.end({ timeout: 1 }));
  return sql;
}

test('all that was written is told', async () => {
  const rows = await read(3);
  const settled = await write(asSent(rows));
  expect([...settled.written].sort()).toEqual(rows.map(({ id }) => id).sort());
  expect(settled).toMatchObject({ lostSlots: [], stuck: [] });
});

test('rows of a slot that is lost are not told as written', async () => {
  const rows = await read(40);
  const lost = rows[0]?.slot as number;
  await database.sql`UPDATE relay_slots SET owner = ${randomUUID()}, epoch = epoch + 1 WHERE slot = ${lost}`;
  const settled = await write(asSent(rows));
  expect(settled.lostSlots).toEqual([lost]);
  const mine = rows.filter(({ slot }) => slot !== lost);
  expect([...settled.written].sort()).toEqual(mine.map(({ id }) => id).sort());
});

test('a row that somebody locks holds up no other', async () => {
  const rows = await read(20);
  const [locked] = rows as [OpenRow];
  const terminal = await database.sql.reserve();
  try {
    await terminal`BEGIN`;
    await terminal`SELECT FROM ingestion_outbox WHERE id = ${locked.id} FOR UPDATE`;
    const settled = await write(asSent(rows), { sql: impatient() });
    expect(settled.stuck.map(stuck => stuck.rows.map(({ isrc }) => isrc))).toEqual([[locked.isrc]]);
    expect(settled.written.size).toBe(19);
  } finally {
    await terminal`ROLLBACK`;
    terminal.release();
  }
});

test('a settlement whose answer was lost, and that was made again, is ours', async () => {
  const rows = await read(2);
  const onOutage = vi.fn();
  const answers = vi.fn();
  // The statement is made, and its answer is lost.
  const sql = new Proxy(database.sql, {
    apply: async (target, self, parameters) => {
      const answer = await Reflect.apply(target as never, self, parameters);
      answers();
      if (answers.mock.calls.length === 1)
        throw Object.assign(new Error('lost'), { code: 'CONNECTION_CLOSED' });
      return answer;
    },
  });
  const settled = await write(asSent(rows), { sql, onOutage });
  expect(onOutage).toHaveBeenCalledTimes(1);
  expect(settled.written.size).toBe(2);
  expect(await statuses()).toEqual(['scheduled', 'scheduled']);
});

test('what fails for every row alike is thrown at once', async () => {
  const rows = await read(8);
  let statements = 0;
  const sql = new Proxy(database.sql, {
    apply: async () => {
      statements += 1;
      throw Object.assign(new Error('permission denied'), { code: '42501' });
    },
  });
  await expect(write(asSent(rows), { sql })).rejects.toThrow('permission denied');
  expect(statements).toBe(1);
});

test('a database that stays away is given up when the relay gives up', async () => {
  const rows = await read(1);
  const givingUp = new AbortController();
  const sql = new Proxy(database.sql, {
    apply: async () => {
      throw Object.assign(new Error('no connection'), { code: 'ECONNREFUSED' });
    },
  });
  const onOutage = () => givingUp.abort();
  await expect(write(asSent(rows), { sql, givingUp: givingUp.signal, onOutage })).rejects.toThrow(
    'no connection',
  );
});
