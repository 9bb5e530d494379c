import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addActions } from './actions.ts';
import { addBackfill } from './backfill.ts';
import { addCompletion } from './completion.ts';
import { addDiscard } from './discard.ts';
import { addDoctor } from './doctor.ts';
import { addList } from './list.ts';
import { addPause, addResume } from './pause.ts';
import { addPrune } from './prune.ts';
import { addReindex } from './reindex.ts';
import { addReleaseStuck } from './releaseStuck.ts';
import { addRequeue } from './requeue.ts';
import { addReschedule } from './reschedule.ts';
import { addShow } from './show.ts';
import { addStatus } from './status.ts';
import { addWatch } from './watch.ts';

/** All commands, in the order in which the help shows them. A new one is a file and a line here. */
export const commands: readonly ((program: Command, context: Context) => void)[] = [
  addStatus,
  addList,
  addShow,
  addRequeue,
  addDiscard,
  addReschedule,
  addReleaseStuck,
  addPause,
  addResume,
  addPrune,
  addBackfill,
  addReindex,
  addActions,
  addWatch,
  addDoctor,
  addCompletion,
];
