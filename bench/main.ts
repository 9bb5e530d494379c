import { parseArgs } from 'node:util';
import type { Bench, Part } from './bench.ts';
import { startDatabaseServer } from './database.ts';
import { parts } from './parts.ts';
import { type PartRun, printable, writeResults } from './results.ts';
import { startSink } from './sink/sink.ts';

const onlyByName = parts.flatMap(({ name, onlyByName }) => (onlyByName ? name : [])).join(', ');
const usage = `npm run bench -- [part…] [--scale 0.05]

Parts: ${parts.map(part => part.name).join(', ')}. Without any, all but ${onlyByName}.
--scale makes counts and times smaller, to try a part out; then nothing is written to results.json.`;

/** `npm run bench`: starts a database and servers of its own, measures, prints, and writes the results. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { scale: { type: 'string', default: '1' }, help: { type: 'boolean', default: false } },
  });
  const scale = Number(values.scale);
  const unknown = positionals.filter(name => !parts.some(part => part.name === name));
  if (values.help || unknown.length > 0 || !(scale > 0)) {
    console.log(unknown.length > 0 ? `No such part: ${unknown.join(', ')}\n\n${usage}` : usage);
    process.exitCode = values.help ? 0 : 1;
    return;
  }
  const chosen = parts.filter(({ name, onlyByName }) =>
    positionals.length === 0 ? !onlyByName : positionals.includes(name),
  );

  const server = await startDatabaseServer();
  const sink = await startSink();
  try {
    for (const part of chosen) {
      const run = await measure(part, { server, sink, scale, progress: text => console.log(`  ${text}`) });
      console.log(printable(run));
      if (scale === 1) await writeResults(run, server);
    }
  } finally {
    await sink.stop();
    await server.stop();
  }
}

async function measure(part: Part, bench: Bench): Promise<PartRun> {
  console.log(`\n${part.title}`);
  const start = performance.now();
  const result = await part.run(bench);
  return { part, result, seconds: (performance.now() - start) / 1_000 };
}

await main();
