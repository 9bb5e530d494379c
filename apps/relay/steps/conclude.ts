import type { RowOutcome } from '@segue/outbox/settle.ts';
import type { Batch, Sending } from './decide.ts';

/** The wait after the first refusal, doubled with each further one: 10 attempts take about 3 minutes. */
const firstRetryMs = 500;
const longestRetryMs = 60_000;

/** How long a request waits that was refused once more. Stretched by up to a quarter at random. */
export function retryDelayMs(attempts: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** attempts) * (1 + Math.random() / 4);
}

/**
 * What is to be written down about a batch. Rows of which nothing is written stay as they are: those that wait, those of
 * an undecided sending, and those behind a refused lead.
 */
export function conclude(batch: Batch, { maxAttempts }: { maxAttempts: number }): RowOutcome[] {
  const outcomes: RowOutcome[] = batch.duplicates.map(({ id, isrc, slot, generation }) => ({
    id,
    isrc,
    slot,
    as: 'duplicate',
    leads: false,
    generation,
  }));
  const noted = new Set(batch.sendings.map(({ isrc }) => isrc));
  for (const { row, error } of batch.invalid) {
    const { id, isrc, slot, generation } = row;
    // Nothing of it can have been sent, so the generation stays.
    outcomes.push({ id, isrc, slot, as: 'dead', leads: !noted.has(isrc), generation, error });
    noted.add(isrc);
  }
  for (const sending of batch.sendings) outcomes.push(...outcomesOf(sending, maxAttempts));
  return outcomes;
}

function outcomesOf(sending: Sending, maxAttempts: number): RowOutcome[] {
  const { isrc, slot, generation, lead, others, gathered, outcome } = sending;
  const row = (id: string, as: RowOutcome['as'], leads = false): RowOutcome => ({
    id,
    isrc,
    slot,
    as,
    leads,
    generation,
  });
  switch (outcome.as) {
    case 'undecided':
      return [];
    case 'indexed':
      return [row(lead.id, 'indexed', true), ...others.map(({ id }) => row(id, 'indexed'))];
    case 'sent': {
      const as = sending.force ? 'answered' : 'duplicate';
      return [
        row(lead.id, 'sent', true),
        ...[...others.map(({ id }) => id), ...gathered].map(id => row(id, as)),
      ];
    }
    case 'refused': {
      const { error } = outcome;
      if (lead.attempts + 1 >= maxAttempts) return [{ ...row(lead.id, 'dead', true), error }];
      return [{ ...row(lead.id, 'refused'), error, delayMs: retryDelayMs(lead.attempts) }];
    }
  }
}
