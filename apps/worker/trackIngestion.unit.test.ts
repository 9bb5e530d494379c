import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { hasDocument, readDocument } from '@segue/track-index/document.ts';
import { countPoints } from '@segue/track-index/scroll.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { EmbeddingError } from './embedding/embeddingError.ts';
import { hashedEmbedder } from './embedding/hashed.ts';
import { noEmbedder } from './embedding/none.ts';
import { recording, startFunction } from './test/function.ts';

const pointId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test('a run puts the document into the index and tells of it', async () => {
  const { run, connection, lines } = await startFunction();
  const { result, sent } = await run();
  const completion = {
    isrc: 'USSM15900113',
    completedAt: expect.any(Number),
    durationMs: expect.any(Number),
    result: {
      hasLyrics: false,
      hasAudioFeatures: false,
      hasInterpretation: false,
      hasShortDescription: false,
      embeddingDimensions: 1_024,
    },
  };
  expect(result).toMatchObject({ status: 'indexed', pointId: expect.stringMatching(pointId), ...completion });
  expect(sent).toMatchObject([{ name: 'track/ingestion.completed', data: completion }]);

  const document = await readDocument(connection, 'USSM15900113');
  expect(document?.payload).toEqual({
    isrc: 'USSM15900113',
    title: 'So What',
    artist: 'Miles Davis',
    album: 'Kind of Blue',
    artworkUrl: 'https://example.com/cover.jpg',
    lyrics: null,
    interpretation: null,
    short_description: null,
    embedding_provider: 'hashed',
    embedding_model: 'bag-of-words-1024',
    embedding_text: 'metadata',
  });
  expect(Math.hypot(...(document?.vectors.dense ?? []))).toBeCloseTo(1, 5);
  expect(lines).toMatchObject([
    {
      level: 'info',
      event: 'document_indexed',
      isrc: 'USSM15900113',
      trackTitle: 'So What',
      result: 'success',
    },
  ]);
});

test('what is indexed already costs nothing, unless it is forced', async () => {
  const embed = vi.fn(hashedEmbedder.embed);
  const { run, lines } = await startFunction({ embedder: { ...hashedEmbedder, embed } });
  await run();
  const { result, sent } = await run();
  expect(result).toEqual({ status: 'skipped', reason: 'already_indexed', isrc: 'USSM15900113' });
  expect(sent).toEqual([]);
  expect(embed).toHaveBeenCalledTimes(1);
  expect(lines.at(-1)).toMatchObject({
    event: 'ingestion_skipped',
    result: 'skipped',
    reason: 'already_indexed',
  });

  expect((await run({ ...recording, force: true })).result).toMatchObject({ status: 'indexed' });
  expect(embed).toHaveBeenCalledTimes(2);
});

test('an ISRC in another spelling, and fields that other producers leave out', async () => {
  const { run, connection } = await startFunction();
  const { result } = await run({ isrc: 'us-sm1-59-00113', title: 'So What', artist: '', album: '' });
  expect(result).toMatchObject({ status: 'indexed', isrc: 'USSM15900113' });
  expect((await readDocument(connection, 'USSM15900113'))?.payload).toMatchObject({ artworkUrl: null });
});

test.each([
  [{ ...recording, isrc: 'none' }, 'isrc: must be 12 characters'],
  [{ ...recording, title: ' ' }, 'title: must not be empty'],
  [null, 'isrc'],
])('an event that makes no document ends the run at once: %j', async (data, problem) => {
  const { run, connection } = await startFunction();
  const { error } = await run(data);
  expect(error).toMatchObject({ name: 'NonRetriableError', message: expect.stringContaining(problem) });
  expect(await countPoints(connection)).toBe(0);
});

test('without an embedder there are zeros', async () => {
  const { run, connection } = await startFunction({ embedder: noEmbedder });
  await run();
  const document = await readDocument(connection, 'USSM15900113');
  expect(document?.vectors.dense).toEqual(new Array(1_024).fill(0));
  expect(document?.payload).toMatchObject({ embedding_provider: 'none', embedding_text: null });
});

test('an index that was deleted is created anew', async () => {
  const { run, connection } = await startFunction();
  await connection.call(client => client.deleteCollection('tracks'));
  expect((await run()).result).toMatchObject({ status: 'indexed' });
  expect(await hasDocument(connection, 'USSM15900113')).toBe(true);
});

test('check-index: an index that does not answer is asked again', async () => {
  const { run, qdrant, lines } = await startFunction();
  qdrant.answerWith(() => ({ status: 503, body: 'no' }));
  const { error } = await run();
  expect(error).toMatchObject({
    name: 'Error',
    message: expect.stringMatching(/^check-index: Qdrant answered 503/),
  });
  expect(lines[0]).toMatchObject({
    level: 'warn',
    event: 'ingestion_attempt_failed',
    attempt: 0,
    isrc: 'USSM15900113',
  });
});

test.each([
  [new EmbeddingError('input', 'too long'), 'NonRetriableError'],
  [new EmbeddingError('quota', 'used up'), 'NonRetriableError'],
  [new EmbeddingError('rate_limit', 'slow down', { retryAfterMs: 7_000 }), 'RetryAfterError'],
  [new EmbeddingError('rate_limit', 'slow down'), 'Error'],
  [new EmbeddingError('unavailable', 'down'), 'Error'],
])('embed-interpretation: %s is a %s', async (thrown, name) => {
  const embed = async () => {
    throw thrown;
  };
  const { run, connection } = await startFunction({ embedder: { ...hashedEmbedder, embed } });
  const { error } = await run();
  expect(error).toMatchObject({ name, message: `embed-interpretation: ${thrown.message}` });
  expect(await countPoints(connection)).toBe(0);
});

test('embed-interpretation: a vector of another length is stored nowhere', async () => {
  const embedder = { provider: 'openai', model: 'small', embed: async () => [[1, 2, 3]] } as const;
  const { run, connection } = await startFunction({ embedder });
  const { error } = await run();
  expect(error).toMatchObject({
    name: 'NonRetriableError',
    message: expect.stringContaining('small gives vectors of 3 numbers, and the index has 1024'),
  });
  expect(await countPoints(connection)).toBe(0);
});

test.each([
  [
    { status: 400, body: { status: { error: 'Wrong input' } } },
    'NonRetriableError',
    'Qdrant answered 400: Wrong input',
  ],
  [{ status: 500, body: '' }, 'Error', 'Qdrant answered 500'],
  [{ status: 429, headers: { 'retry-after': '3' }, body: '' }, 'RetryAfterError', 'Too Many Requests'],
])('store-document: %j is a %s', async (answer, name, message) => {
  const { run, qdrant } = await startFunction();
  qdrant.answerWith(request => (request.method === 'PUT' ? answer : undefined));
  const { error } = await run();
  expect(error).toMatchObject({ name, message: expect.stringContaining(`store-document: `) });
  expect(error?.message).toContain(message);
});

test('emit-completion: a failure leaves the document where it is', async () => {
  const inngest = await startInngest();
  onTestFinished(() => inngest.close());
  vi.stubEnv('INNGEST_BASE_URL', inngest.url);
  onTestFinished(() => void vi.unstubAllEnvs());
  inngest.answerWith(() => ({ status: 400, body: { error: 'no', status: 400, ids: [] } }));
  const { run, connection } = await startFunction();
  const { error } = await run(recording, { 'emit-completion': undefined });
  expect(error?.message).toContain('Inngest API Error: 400');
  expect(await hasDocument(connection, 'USSM15900113')).toBe(true);
});

test('the function is what the contract and the configuration say', async () => {
  const configOf = (fn: object) => {
    const { getConfig } = fn as unknown as { getConfig(options: object): Record<string, unknown>[] };
    return getConfig.call(fn, {
      baseUrl: new URL('http://127.0.0.1:4200/api/inngest'),
      appPrefix: 'segue-worker',
    });
  };
  const { trackIngestion } = await startFunction();
  const [config, failure] = configOf(trackIngestion);
  expect(config).toMatchObject({
    id: 'segue-worker-track-ingestion',
    triggers: [{ event: 'track/ingestion.requested' }],
    steps: { step: { retries: { attempts: 5 } } },
    concurrency: [{ limit: 10 }],
    throttle: { limit: 10, period: '1m' },
    priority: { run: 'int(event.data.priority)' },
    idempotency: undefined,
    rateLimit: undefined,
  });
  expect(failure).toMatchObject({ id: 'segue-worker-track-ingestion-failure' });
  const unlimited = await startFunction({ throttlePerMinute: 0, retries: 0, concurrency: 3 });
  expect(configOf(unlimited.trackIngestion)[0]).toMatchObject({
    concurrency: [{ limit: 3 }],
    steps: { step: { retries: { attempts: 0 } } },
    throttle: undefined,
  });
});
