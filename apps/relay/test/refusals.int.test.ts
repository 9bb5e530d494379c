import { describe, expect, test } from 'vitest';
import { newIsrc, useRelays } from './relay.ts';

const here = useRelays();

const idOf = (isrc: string, generation = 1) => `track-ingestion:${isrc}:${generation}`;
const scheduled = { status: 'scheduled', reason: null, attempts: 0, generation: 1, last_error: null };
const some = (count: number) => Array.from({ length: count }, newIsrc);
const asRequests = (isrcs: string[]) => isrcs.map(isrc => ({ isrc }));

describe('R8: an event that Inngest refuses', () => {
  /** An Inngest that refuses these recordings, either way. */
  function refuse(isrcs: string[], { partial }: { partial: boolean }) {
    here.inngest.answerWith(request => {
      const events: { id: string; data: { isrc: string } }[] = JSON.parse(request.text());
      if (!events.some(({ data }) => isrcs.includes(data.isrc))) return undefined;
      const good = events.findIndex(({ data }) => isrcs.includes(data.isrc));
      const before = partial ? events.slice(0, good) : [];
      taken.push(...before.map(({ id }) => id));
      const ids = before.length === 0 ? [''] : before.map(({ id }) => `ULID of ${id}`);
      return { status: 400, body: { status: 400, ids, error: 'this one is not acceptable' } };
    });
  }
  /** What was published from refused calls, which the stand-in has not seen. */
  let taken: string[] = [];

  test.each([
    ['and publishes what stands before it', true],
    ['and publishes nothing of its call', false],
  ])('%s: it dies alone, after its attempts and with the reason', async (_, partial) => {
    taken = [];
    const isrcs = some(20);
    const bad = isrcs[7] as string;
    refuse([bad], { partial });
    await here.request(...asRequests(isrcs));
    const { lines, stop } = here.start({ maxAttempts: 3 });

    const rows = await here.settled();
    await stop();
    const reason = 'Inngest answered 400: this one is not acceptable';
    expect(rows).toMatchObject(
      isrcs.map(isrc =>
        isrc === bad
          ? { isrc, status: 'dead', reason, last_error: reason, attempts: 3, generation: null }
          : { isrc, ...scheduled },
      ),
    );
    const good = isrcs.filter(isrc => isrc !== bad).map(isrc => idOf(isrc));
    expect([...taken, ...here.sentIds()].sort()).toEqual(good);

    const errors = lines.filter(({ event }) => event === 'ingestion_error');
    expect(errors).toHaveLength(3);
    for (const line of errors) expect(line).toMatchObject({ level: 50, result: 'error', isrc: bad, reason });
  });

  test('several at once: each dies alone', async () => {
    taken = [];
    const isrcs = some(40);
    const bad = [0, 1, 20, 39].map(index => isrcs[index] as string);
    refuse(bad, { partial: true });
    await here.request(...asRequests(isrcs));
    here.start({ maxAttempts: 1 });
    const rows = await here.settled();
    expect(rows.filter(({ status }) => status === 'dead').map(({ isrc }) => isrc)).toEqual(bad);
    expect([...taken, ...here.sentIds()].sort()).toEqual(
      isrcs.filter(isrc => !bad.includes(isrc)).map(isrc => idOf(isrc)),
    );
  });

  test('dies, too, when it comes with another like it, and with nothing else', async () => {
    const isrcs = some(2);
    refuse(isrcs, { partial: false });
    await here.request(...asRequests(isrcs));
    here.start();
    expect(await here.settled()).toMatchObject(isrcs.map(() => ({ status: 'dead', attempts: 3 })));
  });

  test('a later request for it is no duplicate, and is sent as the next generation', async () => {
    const isrc = newIsrc();
    refuse([isrc], { partial: false });
    await here.request({ isrc });
    here.start({ maxAttempts: 1 });
    expect(await here.settled()).toMatchObject([{ status: 'dead' }]);

    here.inngest.answerWith(null);
    await here.request({ isrc });
    expect(await here.settled()).toMatchObject([{ status: 'dead' }, { ...scheduled, generation: 2 }]);
    expect(here.sentIds()).toEqual([idOf(isrc, 2)]);
  });

  test('a request that waits for it is not dropped with it', async () => {
    const isrc = newIsrc();
    let refusals = 0;
    here.inngest.answerWith(() =>
      ++refusals <= 1 ? { status: 400, body: { status: 400, error: 'no' } } : undefined,
    );
    await here.request({ isrc }, { isrc });
    here.start({ maxAttempts: 1 });
    expect(await here.settled()).toMatchObject([{ status: 'dead' }, { ...scheduled, generation: 2 }]);
  });
});

test('a row that makes no valid event is dead at once, and holds up nobody', async () => {
  const [before, blank, after] = some(3) as [string, string, string];
  await here.request({ isrc: before }, { isrc: blank, title: ' \n' }, { isrc: after });
  const { lines, stop } = here.start();
  const reason = 'it makes no valid event: title: must not be empty';
  expect(await here.settled()).toMatchObject([
    { isrc: before, ...scheduled },
    { isrc: blank, status: 'dead', reason, attempts: 1 },
    { isrc: after, ...scheduled },
  ]);
  await stop();
  expect(here.sentIds()).toEqual([idOf(before), idOf(after)]);
  expect(lines.filter(({ event }) => event === 'ingestion_error')).toMatchObject([{ isrc: blank, reason }]);
  // It was not Inngest that refused it.
  expect(lines.filter(({ event }) => event === 'inngest_error')).toEqual([]);
});
