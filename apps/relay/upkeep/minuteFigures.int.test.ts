import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, test } from 'vitest';
import { MinuteFigures } from './minuteFigures.ts';

const database = useDatabase();
const read = () => database.sql`
  SELECT sum(requested)::int AS requested, sum(scheduled)::int AS scheduled, sum(reconciled)::int AS reconciled
  FROM ingestion_figures`;

test('a relay says that it is there, counts what was requested, and leaves at its stop what it did', async () => {
  await database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album) VALUES ('USRC17607839', 'So What', 'Miles Davis', 'Kind of Blue')`;
  const minutes = new MinuteFigures();
  const service = minutes.service(database.sql);
  service.start();
  await eventually(async () => expect(await read()).toEqual([{ requested: 1, scheduled: 0, reconciled: 0 }]));

  minutes.settled({ scheduled: [{ requestedMs: Date.now() }], indexed: [], duplicates: [], refused: [] });
  minutes.reconciled(2);
  await service.stop();
  expect(await read()).toEqual([{ requested: 1, scheduled: 1, reconciled: 2 }]);
});
