import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createInngestClient } from './inngestClient.ts';
import { memoryLogger } from './test/memoryLogger.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a request to an Inngest that hangs is given up, and the next one goes through when it is back', async () => {
  const inngest = await startInngest();
  onTestFinished(() => inngest.close());
  let hangs = 0;
  inngest.answerWith(() => {
    hangs++;
    return 'hang';
  });
  vi.stubEnv('INNGEST_BASE_URL', inngest.url);
  const client = createInngestClient(memoryLogger().logger, true, 100);
  const event = { id: 'one', name: 'test', data: {} };
  await expect(client.send(event)).rejects.toThrow(/timeout/i);
  expect(hangs).toBeGreaterThan(0);
  inngest.answerWith(null);
  await client.send(event);
  // On a busy machine an answer may come too late, and the event is sent again.
  expect(new Set(inngest.events().map(({ id }) => id))).toEqual(new Set(['one']));
});
