import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { readUnrequested } from '@segue/outbox/operate/backfill.ts';
import { showProgress } from '@segue/terminal/progress.ts';
import { countPoints, scrollPointIds } from '@segue/track-index/scroll.ts';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { Interrupted } from '../../exitCode.ts';
import { compareWithIndex } from '../../library/compare.ts';
import { findIndex } from '../../library/findIndex.ts';
import { walkLibrary } from '../../library/recordings.ts';
import { addConsentOptions } from '../acting/action.ts';
import { addMeterOption } from './backfill.ts';
import { type RequestOptions, requestRecordings } from './requestRecordings.ts';

/** `reindex`: requests what the library holds and the index lacks. */
export function addReindex(program: Command, context: Context): void {
  const command = program
    .command('reindex')
    .description('compare the library with the index, and request what the index lacks')
    .addHelpText(
      'after',
      '\nThe index is that of QDRANT_URL, QDRANT_API_KEY and QDRANT_COLLECTION. What is on its way (open, or sent within' +
        '\n26 hours and not seen in the index since) is not requested. Points that no item of the library has are counted, and left alone.',
    );
  addMeterOption(addConsentOptions(command)).action((options: RequestOptions) => reindex(options, context));
}

async function reindex(options: RequestOptions, context: Context): Promise<void> {
  const { output, surroundings } = context;
  const connection = findIndex(surroundings.environment);
  const compared = await context.withDatabase(
    async sql => {
      const comparing = showProgress(await countPoints(connection), 'points', surroundings.stderr);
      try {
        return await compareWithIndex(sql, scrollPointIds(connection), comparing.update);
      } finally {
        comparing.stop();
      }
    },
    { deadlineMs: comparisonDeadlineMs },
  );
  await context.withDatabase(async sql => {
    const { recordings, points, stray } = compared;
    const missing = new Set(compared.missing);
    const wanted = new Set<string>();
    for (let from = 0; from < compared.missing.length; from += lookedUpAtOnce) {
      const some = compared.missing.slice(from, from + lookedUpAtOnce);
      for (const isrc of await readUnrequested(sql, some, { anew: true })) wanted.add(isrc);
    }
    const onTheirWay = missing.size - wanted.size;
    const counts = { recordings, points, missing: missing.size, onTheirWay, stray };
    output.print(
      `${say(recordings)} recordings in the library, ${say(points)} points in ${connection.collection}.`,
      `${say(missing.size)} recordings are missing in the index; ${say(onTheirWay)} of them are on their way.`,
      `${say(stray)} points are of no library item.`,
    );
    if (options.dryRun) {
      output.print(`reindex would request ${say(wanted.size)} recordings; nothing was changed.`);
      output.document({ dryRun: true, rows: wanted.size, ...counts });
      return;
    }
    if (wanted.size === 0) {
      output.print('Nothing to request.');
      output.document({ rows: 0, action: null, ...counts });
      return;
    }
    const made = await requestRecordings(
      sql,
      wanted.size,
      walkWanted(),
      { anew: true, selection: { collection: connection.collection, perMinute: options.perMinute } },
      options,
      context,
    );
    output.print(`${say(made.rows)} recordings requested (action ${made.action}).`);
    output.document({ ...made, ...counts });

    async function* walkWanted(): AsyncGenerator<IngestionRequest[], void, void> {
      for await (const page of walkLibrary(sql, {})) {
        if (surroundings.interrupted.aborted) throw new Interrupted();
        // Each once, though several items have it.
        const found = page.filter(({ isrc }) => wanted.delete(isrc));
        if (found.length > 0) yield found;
      }
    }
  });
}

/** The library is sorted before its first recording comes: some 10 s for a million on two cores. */
const comparisonDeadlineMs = 600_000;
const lookedUpAtOnce = 5_000;

function say(figure: number): string {
  return figure.toLocaleString('en');
}
