import { expect, test } from 'vitest';
import { EmbeddingError } from './embedding/embeddingError.ts';
import { hashedEmbedder } from './embedding/hashed.ts';
import { measured } from './embedding/measured.ts';
import { recording, startFunction } from './test/function.ts';

/** The figures of the worker, by their names with labels. */
async function figuresOf({ text }: { text(): Promise<string> }): Promise<(name: string) => number> {
  const lines = (await text()).split('\n');
  return name => Number(lines.find(line => line.startsWith(`${name} `))?.slice(name.length));
}

test('a run is counted once, with each of its steps', async () => {
  const { run, meter } = await startFunction();
  await run();
  const figure = await figuresOf(meter);
  expect(figure('segue_worker_runs_total{outcome="indexed"}')).toBe(1);
  expect(figure('segue_worker_run_seconds_count')).toBe(1);
  for (const step of ['check-index', 'build-document', 'embed-interpretation', 'store-document']) {
    expect(figure(`segue_worker_step_seconds_count{step="${step}"}`)).toBe(1);
    expect(figure(`segue_worker_step_failures_total{step="${step}"}`)).toBe(0);
  }
});

test('a recording that is indexed already is counted as such', async () => {
  const { run, meter } = await startFunction();
  await run();
  await run();
  const figure = await figuresOf(meter);
  expect(figure('segue_worker_runs_total{outcome="already_indexed"}')).toBe(1);
});

test('an attempt that fails is counted with its step, and took its time', async () => {
  const embed = () => Promise.reject(new EmbeddingError('rate_limit', 'too many'));
  const { run, meter } = await startFunction({ embedder: { ...hashedEmbedder, embed } });
  await run(recording);
  const figure = await figuresOf(meter);
  expect(figure('segue_worker_step_failures_total{step="embed-interpretation"}')).toBe(1);
  expect(figure('segue_worker_step_seconds_count{step="embed-interpretation"}')).toBe(1);
  expect(figure('segue_worker_runs_total{outcome="indexed"}')).toBe(0);
});

test('calls of the embedding service are counted by what came of them', async () => {
  const { meter } = await startFunction();
  await measured(hashedEmbedder, meter).embed(['one', 'two']);
  const failing = (error: Error) =>
    measured({ ...hashedEmbedder, embed: () => Promise.reject(error) }, meter);
  const quota = new EmbeddingError('quota', 'nothing is left');
  await expect(failing(quota).embed(['one'])).rejects.toBe(quota);
  await expect(failing(new Error('a bug')).embed(['one'])).rejects.toThrow('a bug');
  const figure = await figuresOf(meter);
  expect(figure('segue_worker_embeddings_total{outcome="ok"}')).toBe(1);
  expect(figure('segue_worker_embeddings_total{outcome="quota"}')).toBe(1);
  expect(figure('segue_worker_embeddings_total{outcome="unavailable"}')).toBe(1);
  expect(figure('segue_worker_embedding_seconds_count')).toBe(3);
});
