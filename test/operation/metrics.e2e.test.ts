import { declaredMetrics, type MetricEntry } from '@segue/telemetry/metrics/declaredMetrics.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, test, vi } from 'vitest';
import { addTrack, type ProcessName, startSurroundings } from './everyProcess.ts';

// Two processes at once take their time to start on a busy machine.
vi.setConfig({ testTimeout: 150_000 });

const textOf = async (address: string) => {
  const answer = await fetch(`${address}/metrics`);
  expect(answer.status).toBe(200);
  return answer.text();
};

/** The declared metrics of a process that its page has no figure of. */
function missingIn(text: string, name: ProcessName): string[] {
  return Object.entries<MetricEntry>(declaredMetrics)
    .filter(([, { by }]) => by.includes(name))
    .map(([metric]) => metric)
    .filter(metric => !new RegExp(`^${metric}(_count)?[{ ]`, 'm').test(text));
}

test('a track that goes all the way moves the figures of each process, and none is missing', async () => {
  const { start } = await startSurroundings();
  const [api, relay, worker] = await Promise.all([start('api'), start('relay'), start('worker')]);
  await worker.process.waitForLog(({ event }) => event === 'functions_registered');
  await addTrack(api.address, '1766030');
  await worker.process.waitForLog(({ event }) => event === 'document_indexed', 30_000);

  const ofApi = await textOf(api.address);
  expect(missingIn(ofApi, 'api')).toEqual([]);
  expect(ofApi).toContain('segue_graphql_operations_total{type="mutation",outcome="ok"} 1\n');
  expect(ofApi).toContain('segue_tidal_wait_seconds_count{urgency="item"} 1\n');

  const ofWorker = await textOf(worker.address);
  expect(missingIn(ofWorker, 'worker')).toEqual([]);
  expect(ofWorker).toContain('segue_worker_runs_total{outcome="indexed"} 1\n');

  await eventually(async () => {
    const ofRelay = await textOf(relay.address);
    expect(missingIn(ofRelay, 'relay')).toEqual([]);
    expect(ofRelay).toContain('segue_relay_rows_total{outcome="scheduled"} 1\n');
    expect(ofRelay).toContain('segue_relay_commit_to_sent_seconds_count 1\n');
    for (const step of ['read', 'ask', 'send', 'settle']) {
      expect(ofRelay).toContain(`segue_relay_step_seconds_count{step="${step}"} 1\n`);
    }
    expect(ofRelay).toContain('segue_relay_slots 32\n');
    expect(ofRelay).toContain('segue_relay_batches_in_flight 0\n');
  });
});

test('each process answers /metrics while the database is away, and the relay says that it is', async () => {
  const { line, start } = await startSurroundings();
  const [api, relay] = await Promise.all([start('api'), start('relay')]);
  await eventually(async () =>
    expect(await textOf(relay.address)).toContain('\nsegue_database_read_success 1\n'),
  );
  await line.cut();
  await eventually(
    async () => expect(await textOf(relay.address)).toContain('\nsegue_database_read_success 0\n'),
    { timeoutMs: 30_000 },
  );
  // The last figures stay, with their age.
  const text = await textOf(relay.address);
  expect(missingIn(text, 'relay')).toEqual([]);
  expect(Number(/^segue_database_read_age_seconds (.+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
  expect(missingIn(await textOf(api.address), 'api')).toEqual([]);
});
