import { parseArgs } from 'node:util';
import { printFigures } from './figures.ts';
import { runChaos } from './run.ts';

const usage = 'usage: npm run test:chaos -- SECONDS [--seed NUMBER]';

const { values, positionals } = parseArgs({ options: { seed: { type: 'string' } }, allowPositionals: true });
const seconds = Number(positionals[0] ?? 60);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));

if (!Number.isInteger(seconds) || seconds < 1 || !Number.isInteger(seed) || positionals.length > 1) {
  console.error(usage);
  process.exit(2);
}

console.log(`chaos for ${seconds} s; the same again: npm run test:chaos -- ${seconds} --seed ${seed}`);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
const figures = await runChaos({ seed, seconds, signal: stopping.signal, say: line => console.log(line) });
printFigures(figures);
process.exitCode = figures.violations.length === 0 ? 0 : 1;
