import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readAnswer } from './answer.ts';

const read = (status: number, body: unknown, headers: Record<string, string> = {}, events = 1) =>
  readAnswer({ status, headers, text: typeof body === 'string' ? body : JSON.stringify(body) }, events);

test('200 with an id for each event is accepted', () => {
  expect(read(200, { ids: ['01J8'], status: 200 })).toEqual({ kind: 'accepted' });
  expect(read(200, { ids: ['01J8', '01J9'] }, {}, 2)).toEqual({ kind: 'accepted' });
  expect(read(200, { ids: ['01J8', '01J9'] }, {}, 1)).toEqual({ kind: 'accepted' });
});

test('200 that names no ids at all is accepted', () => {
  expect(read(200, { ids: [], status: 200 }, {}, 3)).toEqual({ kind: 'accepted' });
});

test.each([
  [[''], 0],
  [['01J8', '01J9'], 2],
  [['01J8', '', '01J9'], 2],
])(
  '200 with the ids %j is too few for three events: all are sent again, under the same ids',
  (ids, named) => {
    expect(read(200, { ids, status: 200 }, {}, 3)).toEqual({
      kind: 'unavailable',
      error: `Inngest answered 200 for ${named} of 3 events`,
    });
  },
);

test.each([
  ['a page of a proxy', '<html><body>Welcome</body></html>'],
  ['broken JSON', '{"ids":["01J8"'],
  ['nothing', ''],
  ['null', 'null'],
  ['an array', '["01J8"]'],
  ['no ids', { status: 200 }],
  ['ids that are none', { ids: '01J8', status: 200 }],
  ['another status within', { ids: [], status: 500, error: 'no' }],
])('200 with %s may mean anything: the events are sent again', (_, body) => {
  expect(read(200, body)).toEqual({
    kind: 'unavailable',
    error: expect.stringMatching(/^Inngest answered 200 /),
  });
});

describe('speaks of the events themselves', () => {
  test.each([400, 413, 422])('%d', status => {
    expect(read(status, { status, error: 'event name is empty' })).toEqual({
      kind: 'refused',
      error: `Inngest answered ${status}: event name is empty`,
      published: 0,
    });
  });

  test.each([
    [[''], 0],
    [[], 0],
    [undefined, 0],
    ['01J8', 0],
    [['01J8'], 1],
    [['01J8', '01J9', ''], 2],
    [['01J8', null, '01J9'], 1],
    [['', '01J8'], 0],
  ])('400 with the ids %j: so many were published before', (ids, published) => {
    expect(read(400, { ids, status: 400, error: 'bad' })).toMatchObject({ kind: 'refused', published });
  });

  test('400 without JSON is a refusal, too', () => {
    expect(read(400, 'Bad Request')).toEqual({
      kind: 'refused',
      error: 'Inngest answered 400: Bad Request',
      published: 0,
    });
  });
});

describe('speaks of the server, of what stands before it, or of the configuration', () => {
  test.each([201, 204, 402, 404, 405, 408, 409, 421, 425, 429, 431, 500, 501, 502, 503, 504, 520])(
    '%d',
    status => {
      expect(read(status, { error: 'later' })).toEqual({
        kind: 'unavailable',
        error: `Inngest answered ${status}: later`,
      });
    },
  );

  test.each([
    [{ location: 'https://inngest.example/e/a-secret' }, ' to inngest.example'],
    [{ location: '/elsewhere' }, ''],
    [{}, ''],
  ])('a redirection, with where it leads and no path of it: %j', (headers, to) => {
    expect(readAnswer({ status: 308, headers, text: '' }, 1)).toEqual({
      kind: 'unavailable',
      error: `Inngest answered 308: nothing. It is a redirection${to}, which is not followed: check INNGEST_BASE_URL`,
    });
  });

  test.each([401, 403])('%d, with what to look at', status => {
    expect(read(status, { status, error: 'Event key not found' })).toEqual({
      kind: 'unavailable',
      error: `Inngest answered ${status}: Event key not found. Check INNGEST_EVENT_KEY and INNGEST_BASE_URL`,
    });
  });

  test('an answer without a word says so', () => {
    expect(read(503, '')).toMatchObject({ error: 'Inngest answered 503: nothing' });
  });
});

describe('Retry-After', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse('2026-11-23T12:00:00Z'), toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    ['7', 7_000],
    [' 0 ', 0],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 11:59:00 GMT', 0],
  ])('%s', (value, retryAfterMs) => {
    expect(read(429, '', { 'retry-after': value })).toMatchObject({ kind: 'unavailable', retryAfterMs });
  });

  test.each(['soon', '', '9'.repeat(400)])('%s is none', value => {
    expect(read(503, '', { 'retry-after': value })).not.toHaveProperty('retryAfterMs');
  });
});

describe('the error fits into a log line and a column', () => {
  test('a page becomes one short line', () => {
    const page = `<html>\r\n<body>\n\t<h1>503 Service Unavailable</h1>\n${'x'.repeat(10_000)}</body></html>`;
    const { error } = read(503, page) as { error: string };
    expect(error).toMatch(/^Inngest answered 503: <html> <body> <h1>503 Service Unavailable<\/h1> x+…$/);
    expect(error.length).toBeLessThan(350);
  });

  test('PostgreSQL stores no NUL, whoever sends one', () => {
    expect(read(400, { error: 'bad\u0000byte' })).toMatchObject({ error: 'Inngest answered 400: bad byte' });
    expect(read(503, '\u0000\u0001')).toMatchObject({ error: 'Inngest answered 503: nothing' });
    expect(read(200, '\u0000')).toMatchObject({ error: expect.not.stringContaining('\u0000') });
  });
});
