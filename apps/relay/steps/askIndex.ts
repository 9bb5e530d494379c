import { reasonOf } from '@segue/process/reason.ts';
import { statusOf } from '@segue/track-index/qdrantError.ts';
import type { TrackIndex } from '@segue/track-index/trackIndex.ts';
import type { Breaker } from '../guards/breaker.ts';
import type { Sending } from './decide.ts';

/**
 * Asks the index for the whole batch in one call, and notes what is indexed (rule R4). Forced requests are not asked
 * for. An index that failed lately is not asked at all until its breaker lets a probe through: a batch must not wait
 * for it each time anew.
 *
 * @returns why the index could not be asked; all are sent then (rule R7). null: it was asked, or there was no need.
 */
export async function askIndex(
  index: TrackIndex,
  breaker: Breaker,
  sendings: Sending[],
): Promise<string | null> {
  const questions = sendings.filter(({ force }) => !force);
  if (questions.length === 0) return null;
  if (breaker.state === 'open') return 'Qdrant is not asked, since it failed a moment ago';
  try {
    const exists = await index.checkTracksExist(questions.map(({ isrc }) => isrc));
    breaker.succeeded();
    for (const sending of questions) {
      if (exists.get(sending.isrc) === true) sending.outcome = { as: 'indexed' };
    }
    return null;
  } catch (error) {
    breaker.failed();
    const isRefused = [401, 403].includes(statusOf(error) ?? 0);
    return `Qdrant: ${reasonOf(error)}${isRefused ? '. Check QDRANT_API_KEY' : ''}`;
  }
}
