import { runCommandLine } from './commandLine.ts';
import { exitCode } from './exitCode.ts';
import { processSurroundings } from './surroundings.ts';

/** `npm run outbox -- <command>`, and the same in the relay's image. */
const code = await runCommandLine(process.argv.slice(2), processSurroundings());
// At Ctrl-C nobody waits for what is still under way.
if (code === exitCode.interrupted) process.exit(code);
process.exitCode = code;
