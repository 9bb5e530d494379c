import { randomUUID } from 'node:crypto';
import type { Answer } from './answer.ts';

/**
 * An event that no function listens to, so that it starts nothing. The open-source server also answers 400 while its
 * own queue is away; where it does not take the canary either, a refusal says nothing about the event.
 */
export type Canary = { id: string; name: typeof canaryName; data: Record<string, never> };

export const canaryName = 'segue/canary';

/** A canary under an id of its own: a known id would be no proof that Inngest takes something new. */
export function newCanary(): Canary {
  return { id: `segue-canary:${randomUUID()}`, name: canaryName, data: {} };
}

/** Reads the answer to a canary. Whatever is wrong with it is an outage, since nothing is wrong with a canary. */
export function readCanaryAnswer(answer: Answer): Exclude<Answer, { kind: 'refused' }> {
  if (answer.kind !== 'refused') return answer;
  return { kind: 'unavailable', error: `${answer.error} (to ${canaryName}, too: it takes no event at all)` };
}
