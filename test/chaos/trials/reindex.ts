import type { Sql } from '@segue/database/connection.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { readLibrary } from '../observation.ts';
import { isRefused, isrcOf, ofTrials } from '../workload.ts';
import { runTwice } from './command.ts';
import type { Scene, Trial } from './trial.ts';

/** Many hundreds of requests in steps of 10; a busy machine is slow to send them. */
const longestMs = 120_000;

/**
 * Rule R13: what the library holds and the index lacks is requested by the command, which is killed in the middle and run
 * again; what was sent lately is on its way, and is left alone.
 */
export const reindex: Trial = {
  name: 'reindex that is killed in the middle',
  async hold({ on, additions, random, round }) {
    const unasked = `Unasked of round ${round}, `;
    const items = Array.from({ length: random.between(30, 90) }, (_, number) => {
      const id = round * 1_000 + number;
      return { tidalId: `unasked ${id}`, title: `${unasked}${number}`, isrc: isrcOf(ofTrials.reindex, id) };
    });
    if (!(await additions.own(`reader of round ${round}`, items))) return [];
    const owed = await readOwed(on);
    const mark = `, missing in round ${round}, `;
    const requests = () => on.sql<{ title: string; isrc: string }[]>`
      SELECT title, isrc FROM ingestion_outbox
      WHERE strpos(title, ${mark}) > 0 OR isrc = ANY(${items.map(({ isrc }) => isrc)})`;

    await markTitles(on.sql, { mark, except: unasked });
    const { code, lastLines } = await runTwice({
      command: ['reindex'],
      environment: { DATABASE_URL: on.databaseUrl, QDRANT_URL: on.services.indexUrl },
      random,
      requested: async () => (await requests()).length,
      longestMs,
    });
    await on.sql`DROP TRIGGER again ON ingestion_outbox`;
    const made = await requests();
    additions.note(made.filter(({ title }) => title.includes(mark)));

    const asked = new Set(made.map(({ isrc }) => isrc));
    // What is refused is dead before the second one looks, and is requested again.
    const once = made.filter(({ isrc }) => !isRefused(isrc));
    const repeated = once.length - new Set(once.map(({ isrc }) => isrc)).size;
    const forgotten = [...owed.difference(asked)];
    const needless = [...asked.difference(owed)];
    const problems = [
      code === 0 ? '' : `the command ended with ${code}: ${lastLines.join('; ')}`,
      repeated === 0 ? '' : `${repeated} recordings are requested twice`,
      forgotten.length === 0
        ? ''
        : `${forgotten.length} recordings are missing and not requested, such as ${forgotten[0]}`,
      needless.length === 0 ? '' : `${needless.length} are requested needlessly, such as ${needless[0]}`,
    ];
    return problems.filter(Boolean).map(problem => `R13: reindex: ${problem}`);
  },
};

/** Recordings of the library that are neither in the index nor on their way, told apart without the command's own code. */
async function readOwed({ sql, services }: Scene['on']): Promise<Set<string>> {
  const items = await readLibrary(sql);
  const library = new Set(items.flatMap(({ listing }) => listing.flatMap(({ isrc }) => isrc ?? [])));
  const points = new Set(await services.indexedPoints());
  const onTheirWay = await sql<{ isrc: string }[]>`
    SELECT isrc FROM ingestion_outbox WHERE settled_at IS NULL
    UNION
    SELECT isrc FROM ingestion_ledger
    WHERE now() - sent_at < interval '26 hours' AND coalesce(indexed_at, '-infinity') < sent_at`;
  const away = new Set(onTheirWay.map(({ isrc }) => isrc));
  return new Set([...library].filter(isrc => !points.has(hashIsrcToUuid(isrc)) && !away.has(isrc)));
}

/**
 * Gives each title the mark and the new request's id, so that it stays like no other and can be followed: the command takes
 * the library's, which were requested before. By its name the trigger comes before `at_once`, which changes the priority.
 *
 * @param except how titles begin that have no request yet
 */
async function markTitles(sql: Sql, { mark, except }: { mark: string; except: string }): Promise<void> {
  await sql.unsafe(`
    CREATE OR REPLACE FUNCTION mark_title() RETURNS trigger LANGUAGE plpgsql
      AS $body$ BEGIN NEW.title := NEW.title || '${mark}' || NEW.id; RETURN NEW; END $body$;
    CREATE TRIGGER again BEFORE INSERT ON ingestion_outbox FOR EACH ROW
      WHEN (NEW.priority = -600 AND NEW.isrc NOT LIKE 'QZLST%' AND NOT starts_with(NEW.title, '${except}'))
      EXECUTE FUNCTION mark_title()`);
}
