import { reasonOf } from '@segue/process/reason.ts';
import type { TrackIndex } from '@segue/track-index/trackIndex.ts';
import type { Breaker } from '../guards/breaker.ts';
import type { TakenRow } from './dropDuplicates.ts';

export type Asked = {
  wanted: TakenRow[];
  /** In the index already (rule R4). */
  indexed: TakenRow[];
  /** Why the index could not be asked; all rows are wanted then (rule R7). */
  error?: string;
};

/**
 * Asks the index for the whole batch in one call. Forced rows are not asked for. An index that failed lately
 * is not asked at all until its breaker lets a probe through: a batch must not wait for it each time anew.
 */
export async function askIndex(index: TrackIndex, breaker: Breaker, rows: TakenRow[]): Promise<Asked> {
  const questions = rows.filter(row => !row.force);
  if (questions.length === 0) return { wanted: rows, indexed: [] };
  if (breaker.state === 'open') {
    return { wanted: rows, indexed: [], error: 'Qdrant is not asked, since it failed a moment ago' };
  }
  try {
    const exists = await index.checkTracksExist(questions.map(row => row.isrc));
    breaker.succeeded();
    const isIndexed = (row: TakenRow) => !row.force && exists.get(row.isrc) === true;
    return { wanted: rows.filter(row => !isIndexed(row)), indexed: rows.filter(isIndexed) };
  } catch (error) {
    breaker.failed();
    return { wanted: rows, indexed: [], error: `Qdrant: ${reasonOf(error)}` };
  }
}
