import { eventually } from '@segue/testing/eventually.ts';
import { expect, test } from 'vitest';
import { startScript } from './test/script.ts';

const passes = `
  import { writeSync } from 'node:fs';
  for (let pass = 1; pass <= 3; pass++) {
    crashPoint('after_claim');
    writeSync(1, 'after_claim ' + pass + '\\n');
    crashPoint('after_send');
    writeSync(1, 'after_send ' + pass + '\\n');
  }
`;
const all = [1, 2, 3].flatMap(pass => [`after_claim ${pass}`, `after_send ${pass}`]);
const killed = { code: null, signal: 'SIGKILL' };

test.each([
  ['after_send', killed, 1],
  ['after_send:3', killed, 5],
  ['after_claim:2', killed, 2],
  ['after_send:4', { code: 0, signal: null }, 6],
  ['within_settlement', { code: 0, signal: null }, 6],
  ['', { code: 0, signal: null }, 6],
])('CRASH_AT=%s', async (armed, exit, reached) => {
  const child = await startScript(passes, { CRASH_AT: armed });

  expect(await child.exited).toEqual(exit);
  expect(child.output).toEqual(all.slice(0, reached));
});

test('a process that is stopped at a crash point goes on when it is told to', async () => {
  const child = await startScript(passes, { CRASH_AT: 'after_send:2:SIGSTOP' });
  await eventually(() => expect(child.output).toHaveLength(3));
  // Its third line comes before it stops: a signal to go on that comes in between is lost.
  await eventually(() => {
    child.kill('SIGCONT');
    expect(child.output).toEqual(all);
  });

  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.output).toEqual(all);
});
