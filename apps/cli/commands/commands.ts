import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { addCompletion } from './completion.ts';
import { addDoctor } from './doctor.ts';

/** A command in a file of its own. */
export type CommandFile = { add: (program: Command, context: Context) => void };

/** All commands, in the order in which the help shows them. A new one is a file and a line here. */
export const commands: readonly CommandFile[] = [{ add: addDoctor }, { add: addCompletion }];
