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
  const outcomes: RowOutcome[] = [];
  for (const row of batch.duplicates) outcomes.push(outcomeOf(row, row.id, 'duplicate'));
  const noted = new Set(batch.sendings.map(({ isrc }) => isrc));
  for (const { row, error } of batch.invalid) {
    // Nothing of it can have been sent, so the generation stays.
    outcomes.push({ ...outcomeOf(row, row.id, 'dead', !noted.has(row.isrc)), error });
    noted.add(row.isrc);
  }
  for (const sending of batch.sendings) addSending(outcomes, sending, maxAttempts);
  return outcomes;
}

function addSending(outcomes: RowOutcome[], sending: Sending, maxAttempts: number): void {
  const { lead, others, gathered, outcome } = sending;
  switch (outcome.as) {
    case 'undecided':
      return;
    case 'indexed':
      outcomes.push(outcomeOf(sending, lead.id, 'indexed', true));
      for (const { id } of others) outcomes.push(outcomeOf(sending, id, 'indexed'));
      return;
    case 'sent': {
      const as = sending.force ? 'answered' : 'duplicate';
      outcomes.push(outcomeOf(sending, lead.id, 'sent', true));
      for (const { id } of others) outcomes.push(outcomeOf(sending, id, as));
      for (const id of gathered) outcomes.push(outcomeOf(sending, id, as));
      return;
    }
    case 'refused': {
      const { error } = outcome;
      const { attempts } = lead;
      outcomes.push(
        attempts + 1 >= maxAttempts
          ? { ...outcomeOf(sending, lead.id, 'dead', true), error }
          : { ...outcomeOf(sending, lead.id, 'refused'), error, delayMs: retryDelayMs(attempts) },
      );
    }
  }
}

function outcomeOf(
  { isrc, slot, generation }: Pick<RowOutcome, 'isrc' | 'slot' | 'generation'>,
  id: string,
  as: RowOutcome['as'],
  leads = false,
): RowOutcome {
  return { id, isrc, slot, as, leads, generation };
}
