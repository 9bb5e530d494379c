import { connect } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  addOutcomes,
  countRequested,
  lagBuckets,
  type Outcomes,
  pruneMinutes,
  quantile,
  readChart,
  readRates,
} from './minutes.ts';

const database = useDatabase();

beforeEach(async () => {
  await database.sql`TRUNCATE ingestion_figures, ingestion_outbox`;
});

const none: Outcomes = {
  scheduled: 0,
  alreadyIndexed: 0,
  duplicate: 0,
  dead: 0,
  refused: 0,
  reconciled: 0,
  lag: [],
};

const readFigures = () =>
  database.sql`
    SELECT requested, scheduled, already_indexed + duplicate AS skipped, dead, refused, lag FROM ingestion_figures ORDER BY minute`;

/** Makes requests, so many minutes ago. */
async function request(count: number, minutesAgo = 0): Promise<void> {
  await database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, created_at)
    SELECT 'US' || lpad((random() * 1e9)::int::text, 10, '0'), 'T', 'A', 'B', now() - ${minutesAgo} * interval '1 minute'
    FROM generate_series(1, ${count}::int)`;
}

test('what relays did is added up, bucket by bucket', async () => {
  await addOutcomes(database.sql, { ...none, scheduled: 2, dead: 1, lag: [1, 1] });
  await addOutcomes(database.sql, {
    ...none,
    scheduled: 3,
    duplicate: 1,
    alreadyIndexed: 1,
    refused: 4,
    reconciled: 2,
    lag: [0, 2, 1],
  });
  const [{ total }] = (await database.sql`
    SELECT (sum(scheduled), sum(already_indexed), sum(duplicate), sum(dead), sum(refused), sum(reconciled))::text AS total
    FROM ingestion_figures`) as unknown as [{ total: string }];
  expect(total).toBe('(5,1,1,1,4,2)');
  const lag = (await readFigures()).map(row => row.lag as number[]);
  expect(lag.flat().reduce((sum, count) => sum + count, 0)).toBe(5);
});

test('a minute in which nothing happened is there, and says that somebody was', async () => {
  await addOutcomes(database.sql, none);
  expect(await readFigures()).toMatchObject([{ requested: 0, scheduled: 0, lag: [] }]);
});

describe('requests', () => {
  test('that are not counted yet are said', async () => {
    const hasUncounted = async () => (await addOutcomes(database.sql, none)).hasUncounted;
    expect(await hasUncounted()).toBe(false);
    await request(1);
    expect(await hasUncounted()).toBe(true);
    await countRequested(database.sql);
    expect(await hasUncounted()).toBe(false);
  });

  test('are counted once, in the minutes in which they were made', async () => {
    await request(3, 10);
    await request(2, 5);
    expect(await countRequested(database.sql)).toBe(5);
    expect(await countRequested(database.sql)).toBe(0);
    await request(1, 5);
    expect(await countRequested(database.sql)).toBe(1);
    expect((await readFigures()).map(row => row.requested).filter(count => count > 0)).toEqual([3, 3]);
  });

  test('are counted by one relay at a time', async () => {
    await request(4);
    const other = connect({ url: database.url, applicationName: 'other relay', max: 1 });
    try {
      await other.begin(async transaction => {
        await transaction`SELECT pg_advisory_xact_lock(hashtext('ingestion_figures'))`;
        expect(await countRequested(database.sql)).toBeNull();
      });
      expect(await countRequested(database.sql)).toBe(4);
    } finally {
      await other.end();
    }
  });

  test('of a moment that is weeks away, or to come, are passed over and not counted again', async () => {
    await request(1, 60 * 24 * 30);
    await request(1, -60);
    expect(await countRequested(database.sql)).toBe(2);
    expect(await countRequested(database.sql)).toBe(0);
    expect((await readFigures()).map(row => row.requested)).toEqual([0]);
  });
});

test('old minutes are deleted, and the newest keeps from where to count on', async () => {
  await database.sql`
    INSERT INTO ingestion_figures (minute, last_id) VALUES (now() - interval '9 days', 7), (now() - interval '20 days', NULL)`;
  await pruneMinutes(database.sql);
  expect(await database.sql`SELECT last_id AS "lastId" FROM ingestion_figures`).toEqual([{ lastId: 7 }]);
  await database.sql`INSERT INTO ingestion_figures (minute, last_id) VALUES (now(), 9)`;
  await pruneMinutes(database.sql);
  expect(await database.sql`SELECT last_id AS "lastId" FROM ingestion_figures`).toEqual([{ lastId: 9 }]);
});

describe('a chart', () => {
  test('has each minute that has passed, and a gap where no relay was', async () => {
    await database.sql`
      INSERT INTO ingestion_figures (minute, requested, scheduled, duplicate, already_indexed, dead, lag)
      SELECT date_trunc('minute', now()) - n * interval '1 minute', 10, 6, 2, 1, 1, ARRAY[0, 0, 0, 6]
      FROM unnest(ARRAY[0, 1, 3]) AS n`;
    const chart = await readChart(database.sql, 'hour');
    expect(chart.minute).toHaveLength(60);
    expect(chart.requested.slice(-3)).toEqual([10, null, 10]);
    expect(chart.skipped.slice(-3)).toEqual([3, null, 3]);
    expect(chart.dead.at(-1)).toBe(1);
    expect(chart.lagMedian.at(-1)).toBeCloseTo(0.075);
    expect(chart.lagMedian.at(-2)).toBeNull();
  });

  test.each([
    ['day', 288],
    ['week', 336],
  ] as const)('of a %s has %i points, each a mean', async (range, points) => {
    await database.sql`
      INSERT INTO ingestion_figures (minute, requested)
      SELECT date_trunc('minute', now()) - n * interval '1 minute', 12 FROM generate_series(0, 200) AS n`;
    const chart = await readChart(database.sql, range);
    expect([chart.minute.length, chart.requested.length]).toEqual([points, points]);
    expect(chart.requested.at(-2)).toBe(12);
  });
});

test('rates are of the last minutes, with their age', async () => {
  await database.sql`
    INSERT INTO ingestion_figures (minute, scheduled, lag)
    SELECT date_trunc('minute', now()) - n * interval '1 minute', 60, ARRAY[60] FROM generate_series(1, 30) AS n`;
  const rates = await readRates(database.sql);
  expect(rates.scheduled).toBeGreaterThan(45);
  expect(rates.scheduled).toBeLessThan(75);
  expect(rates.ageSeconds).toBeGreaterThanOrEqual(60);
  expect(rates.ageSeconds).toBeLessThan(121);
});

test('without any figures, rates are nothing and of no age', async () => {
  expect(await readRates(database.sql)).toEqual({
    requested: 0,
    scheduled: 0,
    skipped: 0,
    dead: 0,
    lagHigh: null,
    lastScheduledSeconds: null,
    ageSeconds: null,
  });
});

test('rates say since when nothing has been scheduled, however long that is', async () => {
  await database.sql`
    INSERT INTO ingestion_figures (minute, scheduled)
    SELECT date_trunc('minute', now()) - back * interval '1 minute', CASE WHEN back > 14 THEN 10 ELSE 0 END
    FROM generate_series(0, 20) AS back`;
  const rates = await readRates(database.sql);
  expect(rates).toMatchObject({ scheduled: 0, lagHigh: null });
  // The fifteenth minute back ended 14 minutes before the one that it is now began.
  expect(rates.lastScheduledSeconds).toBeGreaterThanOrEqual(14 * 60);
  expect(rates.lastScheduledSeconds).toBeLessThan(15 * 60);
});

test.each([
  [[], 0.5, null],
  [[4], 0.5, 0.005],
  [[0, 10], 1, 0.02],
  [[0, 10, 0, 10], 0.75, 0.075],
  [
    Array.from({ length: lagBuckets.length + 1 }, (_, at) => (at === lagBuckets.length ? 3 : 0)),
    0.95,
    21_600,
  ],
])('of the lags %j, the share %d is within %d s', (lag, share, seconds) => {
  expect(quantile(lag as number[], share)).toBe(seconds);
});
