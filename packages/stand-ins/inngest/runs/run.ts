import { runIdOf } from '../eventIds.ts';
import type { ReceivedEvent } from '../eventLog.ts';
import { priorityOf, type RegisteredFunction } from './functions.ts';

/** What a finished step gave. */
export type StepState = { data: unknown } | { error: unknown };

/** One execution of a function for one event. */
export type Run = {
  id: string;
  functionId: string;
  event: ReceivedEvent;
  status: 'Scheduled' | 'Running' | 'Completed' | 'Failed';
  /** By the SHA-1 of the step's name. */
  steps: Record<string, StepState>;
  /** The finished steps in their order. */
  stack: string[];
  /** Of the step that is next, from 0. */
  attempt: number;
  /** Of the protocol: -1 until the SDK has said which it speaks. */
  version: number;
  /** Not before this moment, in ms since 1970. */
  dueAt: number;
  /** The smallest of those that are due is next. */
  order: number;
  /** What it returned, or the error that it ended with. */
  output: unknown;
  startedAt: number;
  endedAt: number | null;
};

/** The run of a function for an event: the same id whenever it is asked for. */
export function runIdFor(functionId: string, event: ReceivedEvent): string {
  return runIdOf(event.internalId + functionId);
}

/** A priority below 0 delays the run even when nothing else waits, as it does on the server. */
export function newRun(fn: RegisteredFunction, event: ReceivedEvent): Run {
  const priorityMs = priorityOf(fn, event) * 1_000;
  return {
    id: runIdFor(fn.id, event),
    functionId: fn.id,
    event,
    status: 'Scheduled',
    steps: {},
    stack: [],
    attempt: 0,
    version: -1,
    dueAt: Math.max(event.ts, event.receivedAt - Math.min(0, priorityMs)),
    order: event.receivedAt - priorityMs,
    output: null,
    startedAt: event.receivedAt,
    endedAt: null,
  };
}

export function hasEnded({ status }: Run): boolean {
  return status === 'Completed' || status === 'Failed';
}
