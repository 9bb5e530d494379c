import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addDiscard } from './acting/discard.ts';
import { addPause, addResume } from './acting/pause.ts';
import { addPrune } from './acting/prune.ts';
import { addReleaseStuck } from './acting/releaseStuck.ts';
import { addRequeue } from './acting/requeue.ts';
import { addReschedule } from './acting/reschedule.ts';
import { addCompletion } from './completion.ts';
import { addActions } from './looking/actions.ts';
import { addDoctor } from './looking/doctor.ts';
import { addList } from './looking/list.ts';
import { addShow } from './looking/show.ts';
import { addStatus } from './looking/status.ts';
import { addWatch } from './looking/watch.ts';
import { addBackfill } from './requesting/backfill.ts';
import { addReindex } from './requesting/reindex.ts';

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
