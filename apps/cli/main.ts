import { runCommandLine } from './commandLine.ts';
import { processSurroundings } from './surroundings.ts';

/** `npm run outbox -- <command>`, and the same in the relay's image. */
process.exitCode = await runCommandLine(process.argv.slice(2), processSurroundings());
