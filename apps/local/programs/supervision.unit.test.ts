import type { ProcessExit } from '@segue/child-process/childProcess.ts';
import { expect, test } from 'vitest';
import { supervise } from './supervision.ts';

/** Something to supervise: each attempt to start it is decided by the test. */
function subject(attempts: ('runs' | 'fails' | 'waits')[]) {
  const said: string[] = [];
  const runs: { end(exit: Partial<ProcessExit>): void; stopped: boolean }[] = [];
  const heard = new Map<string, () => void>();
  const supervision = supervise(
    {
      name: 'relay',
      lastWords: () => 'out of memory',
      async start(signal) {
        const outcome = attempts.shift();
        if (outcome === 'fails') throw new Error('its port is taken');
        if (outcome === 'waits') {
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          });
        }
        const { promise: exited, resolve } = Promise.withResolvers<ProcessExit>();
        const run = {
          stopped: false,
          end: (exit: Partial<ProcessExit>) => resolve({ code: null, signal: null, ...exit }),
        };
        runs.push(run);
        return {
          exited,
          async stop() {
            run.stopped = true;
            run.end({ code: 0 });
          },
        };
      },
    },
    {
      say(line) {
        said.push(line);
        for (const [text, resolve] of heard) if (line.includes(text)) resolve();
      },
      firstPauseMs: 1,
    },
  );
  const hear = (text: string) =>
    new Promise<void>(resolve => {
      heard.set(text, resolve);
      if (said.some(line => line.includes(text))) resolve();
    });
  return { supervision, runs, said, hear };
}

test('what ends by itself is told with its last words, and started until it runs again', async () => {
  const { supervision, runs, said, hear } = subject(['runs', 'fails', 'runs']);
  await supervision.ready;
  runs[0]?.end({ signal: 'SIGKILL' });
  await hear('is running again');

  expect(said).toEqual([
    'relay ended by itself (SIGKILL: out of memory). It is started again in 1 s.',
    'relay is not running yet: its port is taken. It is started again in 1 s.',
    'relay is running again.',
  ]);
  expect(runs).toHaveLength(2);
  await supervision[Symbol.asyncDispose]();
  expect(runs[1]?.stopped).toBe(true);
});

test('a first start that fails is the end of it', async () => {
  const { supervision, said } = subject(['fails', 'runs']);
  await expect(supervision.ready).rejects.toThrow('its port is taken');
  await supervision[Symbol.asyncDispose]();
  expect(said).toEqual([]);
});

test('what is stopped is not started again', async () => {
  const { supervision, runs, said } = subject(['runs', 'runs']);
  await supervision.ready;
  await supervision[Symbol.asyncDispose]();
  expect(runs.map(run => run.stopped)).toEqual([true]);
  expect(said).toEqual([]);
});

test('a start can be stopped half-way', async () => {
  const { supervision, runs } = subject(['waits']);
  const ready = expect(supervision.ready).rejects.toThrow('aborted');
  await supervision[Symbol.asyncDispose]();
  await ready;
  expect(runs).toEqual([]);
});

test('so can a second start', async () => {
  const { supervision, runs, said, hear } = subject(['runs', 'waits']);
  await supervision.ready;
  runs[0]?.end({ code: 1 });
  await hear('ended by itself (exit code 1: out of memory)');
  await supervision[Symbol.asyncDispose]();
  expect(said).toHaveLength(1);
});
