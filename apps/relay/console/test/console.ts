import type { Sql } from '@segue/database/connection.ts';
import { createHttpServer } from '@segue/http/server.ts';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type AccessSettings, accessSettings } from '../access/variables.ts';
import { type ConsoleOptions, serveConsole } from '../console.ts';

export const actingToken = 'a token for those who act';
export const readingToken = 'a token for those who look';

/** Nobody is known; the relay listens for this machine alone. */
export const openAccess: AccessSettings = accessSettings({ RELAY_HOST: '127.0.0.1' });

/** Both tokens are set, and the relay can be reached from elsewhere. */
export const guardedAccess: AccessSettings = {
  ...openAccess,
  token: actingToken,
  readToken: readingToken,
  onLoopback: false,
};

type Given = Partial<Omit<ConsoleOptions, 'access'>> & { sql: Sql; access?: Partial<AccessSettings> };

/** A console on a server of its own; it ends with the test at the latest. */
export async function createConsole({ access, ...given }: Given): Promise<FastifyInstance> {
  const logger = given.logger ?? pino({ level: 'silent' });
  const server = createHttpServer({ logger, hostRule: null, finishWithinMs: 1_000 });
  await serveConsole(server, {
    health: () => [],
    ...given,
    logger,
    access: { ...openAccess, ...access },
  });
  onTestFinished(() => server.close());
  return server;
}

/** A form, as a browser sends it from a page of the console. */
export function form(fields: Record<string, string | string[]>): string {
  const entries = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map(each => [name, each] as [string, string]),
  );
  return new URLSearchParams(entries).toString();
}

/** What a browser sends with a form of our own page. */
export const fromOwnPage = {
  'content-type': 'application/x-www-form-urlencoded',
  'sec-fetch-site': 'same-origin',
};
