import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { faultOfAnswer, fuzzedBody, fuzzedBytes, fuzzedRequest } from '@segue/api/test/fuzzInputs.ts';
import fc from 'fast-check';
import { type Input, send, type Target } from '../target.ts';

const sampled = 500;

/** The requests of the fuzz: an endless row of each kind. */
export function fuzzInputs(target: Target): Input[] {
  const nextBody = endless(fuzzedBody);
  const nextRequest = endless(fuzzedRequest);
  let bytes = 0;
  return [
    {
      name: 'fuzz: bodies',
      async once() {
        const { status, text } = await send(target, { body: JSON.stringify(nextBody()) });
        return faultOfAnswer(status, text);
      },
    },
    {
      name: 'fuzz: requests',
      async once() {
        const { method, url, search, type, payload } = nextRequest();
        const path = `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(search)}`;
        const { status, text } = await sendAny(target, { method, path, type, payload });
        // Not ready says what is away, and is no failure.
        return url === '/readyz' && status === 503 ? null : faultOfAnswer(status, text);
      },
    },
    {
      name: 'fuzz: bytes',
      async once() {
        const answer = await sendBytes(target, fuzzedBytes(bytes++));
        const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? '400';
        return faultOfAnswer(Number(status), answer);
      },
    },
  ];
}

function endless<Value>(arbitrary: fc.Arbitrary<Value>): () => Value {
  let values: Value[] = [];
  return () => {
    if (values.length === 0) values = fc.sample(arbitrary, sampled);
    return values.pop() as Value;
  };
}

type AnyRequest = { method: string; path: string; type: string; payload: Buffer | string };

/** As `fetch` would not send it: bodies of GET, types that are none. */
function sendAny({ url, token }: Target, { method, path, type, payload }: AnyRequest) {
  return new Promise<{ status: number; text: string }>(resolve => {
    let text = '';
    const headers = {
      'content-type': type,
      'content-length': Buffer.byteLength(payload),
      'graphql-require-preflight': '1',
      authorization: `Bearer ${token}`,
    };
    const asked = httpRequest(`${url}${path}`, { method, headers, agent: false }, response => {
      response.on('data', data => (text += data));
      response.on('close', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    // An answer before the whole request was read may end the connection.
    asked.on('error', () => resolve({ status: 0, text }));
    asked.end(payload);
  });
}

function sendBytes({ url }: Target, bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise(resolve => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.on('data', data => (answer += data.toString('latin1')));
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}
