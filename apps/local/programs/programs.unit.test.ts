import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout } from '../configuration.ts';
import { nodeArguments } from './programs.ts';

test('a program has the limits of memory that it has by `npm run`', () => {
  expect(nodeArguments('relay')).toEqual([
    expect.stringMatching(/^--max-semi-space-size=\d+$/),
    expect.stringMatching(/^--initial-old-space-size=\d+$/),
    expect.stringMatching(/^--max-old-space-size=\d+$/),
    join(checkout, 'apps/relay/main.ts'),
  ]);
  expect(nodeArguments('api').at(-1)).toBe(join(checkout, 'apps/api/main.ts'));
  expect(nodeArguments('worker').at(-1)).toBe(join(checkout, 'apps/worker/main.ts'));
});
