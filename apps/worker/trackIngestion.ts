import { ingestionRequested } from '@segue/ingestion/event.ts';
import { crashPoint } from '@segue/process/crashPoint.ts';
import type { Logger } from '@segue/telemetry/lines.ts';
import type { LabelsOf } from '@segue/telemetry/metrics/declaredMetrics.ts';
import type { Meter } from '@segue/telemetry/metrics/meter.ts';
import { inSpan, names } from '@segue/telemetry/spans.ts';
import type { Connection } from '@segue/track-index/connect.ts';
import { hasDocument } from '@segue/track-index/document.ts';
import type { Inngest, InngestFunction } from 'inngest';
import type { Embedder } from './embedding/embedder.ts';
import { buildDocument, readRecording } from './steps/document.ts';
import { embedDocument } from './steps/embed.ts';
import { asInngestError, readStepError } from './steps/stepError.ts';
import { storeDocument } from './steps/store.ts';

export const ingestionCompleted = 'track/ingestion.completed';
export const ingestionFailed = 'track/ingestion.failed';

type Step = LabelsOf<'segue_worker_step_seconds'>['step'];

export type TrackIngestionOptions = {
  client: Inngest;
  connection: Connection;
  embedder: Embedder;
  logger: Logger;
  meter: Meter<'worker'>;
  /** Attempts of a step beyond the first. */
  retries: number;
  /** Steps at the same time, over all workers. */
  concurrency: number;
  /** Runs that start in a minute; 0 for any number. */
  throttlePerMinute: number;
};

/**
 * The function `track-ingestion`: one run puts one recording into the index.
 *
 *     check-index ── indexed, not forced ──▶ already_indexed
 *          │
 *     build-document ─▶ embed-interpretation ─▶ store-document ─▶ emit-completion
 *
 * Each step is retried alone, and its result is kept by Inngest: a worker that dies repeats at most the step that it
 * was in, and every step may be repeated. Runs are told apart by the event's id (rule R6); `idempotency` by ISRC is not
 * set, since it would drop renewed and forced events for 24 hours.
 */
export function createTrackIngestion(options: TrackIngestionOptions): InngestFunction.Any {
  const { client, connection, embedder, logger, meter, retries, concurrency, throttlePerMinute } = options;
  return client.createFunction(
    {
      id: 'track-ingestion',
      triggers: [{ event: ingestionRequested }],
      retries: retries as 5,
      concurrency: [{ limit: concurrency }],
      ...(throttlePerMinute > 0 && { throttle: { limit: throttlePerMinute, period: '1m' as const } }),
      // A plain `event.data.priority` would be a float, of which Inngest makes 0 without a word.
      priority: { run: 'int(event.data.priority)' },
      onFailure: async ({ event: { data }, step }) => {
        const { event, run_id: runId, error } = data as unknown as Failure;
        const { step: failedStep, reason } = readStepError(error.message);
        const isrc = String(event.data?.isrc ?? '');
        await step.run('report-failure', () => {
          meter.add('segue_worker_runs_total', { outcome: 'failed' });
          const line = {
            event: 'ingestion_failed',
            isrc,
            trackTitle: String(event.data?.title ?? ''),
          } as const;
          logger.error(
            { ...line, result: 'error', reason: failedStep ?? 'function', error: reason, runId },
            'the run failed for good: the recording is not in the index',
          );
        });
        await step.sendEvent('emit-failure', {
          id: `${ingestionFailed}:${runId}`,
          name: ingestionFailed,
          data: { isrc, runId, error: reason, failedStep: failedStep ?? null, retries, failedAt: Date.now() },
        });
      },
    },
    async ({ event, step, runId, attempt }) => {
      const recording = readRecording(event.data);
      const { isrc, title } = recording;
      const attributes = { [names.isrc]: isrc, [names.messagingMessage]: event.id ?? '' };

      /** Runs a step, and says of each attempt that fails why it did. */
      function run<Result>(name: Step, work: () => Promise<Result> | Result) {
        return step.run(name, async () => {
          const began = performance.now();
          try {
            return await inSpan(`step ${name}`, { attributes }, work);
          } catch (error) {
            meter.add('segue_worker_step_failures_total', { step: name });
            const told = asInngestError(name, error);
            const line = {
              event: 'ingestion_attempt_failed',
              isrc,
              trackTitle: title,
              result: 'error',
            } as const;
            logger.warn({ ...line, error: told.message, attempt, runId });
            throw told;
          } finally {
            meter.observe('segue_worker_step_seconds', { step: name }, (performance.now() - began) / 1_000);
          }
        });
      }

      const { indexed, startedAt } = await run('check-index', async () => {
        const startedAt = Date.now();
        const indexed = !recording.force && (await hasDocument(connection, isrc));
        if (indexed) {
          meter.add('segue_worker_runs_total', { outcome: 'already_indexed' });
          const line = { event: 'ingestion_skipped', isrc, trackTitle: title, result: 'skipped' } as const;
          logger.info({ ...line, reason: 'already_indexed', runId });
        }
        return { indexed, startedAt };
      });
      if (indexed) return { status: 'skipped', reason: 'already_indexed', isrc };

      const document = await run('build-document', () => buildDocument(recording));
      const embedded = await run('embed-interpretation', () => embedDocument(embedder, document));
      crashPoint('between_steps');
      const { pointId, storedAt } = await run('store-document', async () => {
        crashPoint('before_upsert');
        const { pointId } = await storeDocument(connection, document, embedded);
        crashPoint('after_upsert');
        const storedAt = Date.now();
        meter.add('segue_worker_runs_total', { outcome: 'indexed' });
        meter.observe('segue_worker_run_seconds', {}, (storedAt - startedAt) / 1_000);
        const line = { event: 'document_indexed', isrc, trackTitle: title, result: 'success' } as const;
        logger.info({ ...line, duration_ms: storedAt - startedAt, pointId, runId });
        return { pointId, storedAt };
      });

      const completion = {
        isrc,
        runId,
        completedAt: storedAt,
        durationMs: storedAt - startedAt,
        result: {
          hasLyrics: document.lyrics !== null,
          hasAudioFeatures: document.tempo !== undefined,
          hasInterpretation: document.interpretation !== null,
          hasShortDescription: document.short_description !== null,
          embeddingDimensions: embedded.embedding.length,
        },
      };
      // Under an id of the run, so that a repeated sending starts nothing twice.
      const id = `${ingestionCompleted}:${runId}`;
      await step.sendEvent('emit-completion', { id, name: ingestionCompleted, data: completion });
      return { status: 'indexed', pointId, ...completion };
    },
  );
}

/** The data of `inngest/function.failed`. */
type Failure = {
  event: { data?: Record<string, unknown> | null };
  run_id: string;
  error: { name?: string; message: string };
};
