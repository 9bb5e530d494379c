import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { hashedEmbedder } from './hashed.ts';
import { openaiEmbedder } from './openai.ts';
import type { ServiceOptions } from './request.ts';
import { teiEmbedder } from './tei.ts';

type Request = { path: string; authorization: string | undefined; body: Record<string, unknown> };
type Answer = { status?: number; headers?: Record<string, string>; body: unknown } | 'hang';

/** An embedding service that answers as the test says, and remembers what it was asked. */
async function startService(answer: (request: Request) => Answer) {
  const requests: Request[] = [];
  const server = createServer(async (incoming, response) => {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const { authorization } = incoming.headers;
    const request = { path: incoming.url ?? '', authorization, body: JSON.parse(text) };
    requests.push(request);
    const given = answer(request);
    if (given === 'hang') return;
    const { status = 200, headers = {}, body } = given;
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const options: ServiceOptions = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    timeoutMs: 30_000,
  };
  return { requests, options };
}

const vectorOf = (text: string) => [text.length, 1];

test('TEI is asked as its /embed wants it, 32 texts at a time, and answers in their order', async () => {
  const { requests, options } = await startService(({ body }) => ({
    body: (body.inputs as string[]).map(vectorOf),
  }));
  const texts = Array.from({ length: 70 }, (_, length) => 'x'.repeat(length));
  const tei = teiEmbedder(options);
  expect(await tei.embed(texts)).toEqual(texts.map(vectorOf));
  expect(requests.map(({ path }) => path)).toEqual(['/embed', '/embed', '/embed']);
  expect(requests[0]?.body).toEqual({ inputs: texts.slice(0, 32), truncate: true, normalize: true });
  expect(requests[0]?.authorization).toBeUndefined();
});

test.each(['', '/v1', '/v1/embeddings'])('a base address that ends in "%s" is understood', async end => {
  const { requests, options } = await startService(({ body }) => ({
    // In another order: the index says which is which.
    body: {
      data: (body.input as string[]).map((text, index) => ({ index, embedding: vectorOf(text) })).reverse(),
    },
  }));
  const openai = openaiEmbedder({ ...options, url: options.url + end, model: 'nomic', apiKey: 'sk-key' });
  expect(await openai.embed(['a', 'bb'])).toEqual([vectorOf('a'), vectorOf('bb')]);
  expect(requests[0]).toEqual({
    path: '/v1/embeddings',
    authorization: 'Bearer sk-key',
    body: { model: 'nomic', input: ['a', 'bb'], encoding_format: 'float' },
  });
});

test('only text-embedding-3 is told how many numbers to give', async () => {
  const { requests, options } = await startService(() => ({
    body: { data: [{ index: 0, embedding: [1] }] },
  }));
  await openaiEmbedder({ ...options, model: 'text-embedding-3-small' }).embed(['a']);
  expect(requests[0]?.body.dimensions).toBe(1_024);
});

test.each([413, 422])(
  'a batch that is too large (%d) is halved, and only the text at fault fails',
  async status => {
    const { requests, options } = await startService(({ body }) => {
      const inputs = body.inputs as string[];
      return inputs.length > 2 || inputs.includes('bad')
        ? { status, body: { error: 'batch size 4 > maximum allowed batch size 2', error_type: 'Validation' } }
        : { body: inputs.map(vectorOf) };
    });
    const tei = teiEmbedder(options);
    expect(await tei.embed(['a', 'b', 'c', 'd'])).toHaveLength(4);
    expect(requests).toHaveLength(3);
    await expect(tei.embed(['a', 'bad'])).rejects.toMatchObject({ problem: 'input' });
  },
);

test.each([
  [400, {}, { error: { message: 'no such model' } }, { problem: 'input', message: /400: no such model$/ }],
  [401, {}, 'sk-key is wrong', { problem: 'unavailable', message: /EMBEDDING_API_KEY is not accepted$/ }],
  [404, {}, '<html>', { problem: 'unavailable', message: /404: <html>$/ }],
  [424, {}, { error: 'Inference error' }, { problem: 'unavailable' }],
  [503, {}, { error: 'sk-key overloaded' }, { problem: 'unavailable', message: /503: \*\*\* overloaded$/ }],
  [429, {}, { error: 'overloaded' }, { problem: 'rate_limit', retryAfterMs: undefined }],
  [429, { 'retry-after': '12' }, '', { problem: 'rate_limit', retryAfterMs: 12_000 }],
  [429, { 'retry-after': '0' }, '', { problem: 'rate_limit' }],
  [429, { 'retry-after-ms': '250', 'retry-after': '1' }, '', { problem: 'rate_limit', retryAfterMs: 250 }],
  [429, {}, { error: { code: 'insufficient_quota', message: 'You exceeded' } }, { problem: 'quota' }],
] as const)('%d %j %j', async (status, headers, body, expected) => {
  const { options } = await startService(() => ({ status, headers: { ...headers }, body }));
  const failing = openaiEmbedder({ ...options, model: 'm', apiKey: 'sk-key' }).embed(['a']);
  const { message, ...rest } = { message: /./, ...expected };
  await expect(failing).rejects.toMatchObject({ name: 'EmbeddingError', ...rest });
  await expect(failing).rejects.toThrow(message);
  await expect(failing).rejects.not.toThrow('sk-key');
});

test('a service that hangs is given up', async () => {
  const { options } = await startService(() => 'hang');
  const failing = teiEmbedder({ ...options, timeoutMs: 20 }).embed(['a']);
  await expect(failing).rejects.toMatchObject({ problem: 'unavailable', message: /timed out after 20 ms/ });
});

test.each([[[]], [[[]]], [[['x']]], [{}], ['<html>']])(
  'an answer that is no vector a text: %j',
  async body => {
    const { options } = await startService(() => ({ body }));
    await expect(teiEmbedder(options).embed(['a'])).rejects.toMatchObject({ problem: 'unavailable' });
  },
);

test('hashed: the same text gives the same, words that are shared bring texts near, and no word gives zeros', async () => {
  const [one = [], same = [], near = [], far = [], none = []] = await hashedEmbedder.embed([
    'So What by Miles Davis',
    'so what, by MILES DAVIS!',
    'Blue in Green by Miles Davis',
    '夜に駆ける',
    '…',
  ]);
  const cosine = (a: number[], b: number[]) =>
    a.reduce((sum, value, place) => sum + value * (b[place] ?? 0), 0);
  expect(one).toHaveLength(1_024);
  expect(same).toEqual(one);
  expect(Math.hypot(...one)).toBeCloseTo(1, 10);
  expect(cosine(one, near)).toBeGreaterThan(cosine(one, far));
  expect(none).toEqual(new Array(1_024).fill(0));
});
