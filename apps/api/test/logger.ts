import type { LogFields } from '@segue/ingestion/logEvents.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { pino } from 'pino';

export type LoggedLine = Partial<LogFields> & { level: number; msg?: string };

/** pino's numbers. */
export const levels = { debug: 20, info: 30, warn: 40, error: 50 };

/** A logger that keeps its lines, without what pino adds to each. */
export function loggerInMemory(): { logger: Logger; lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const options = { level: 'debug', base: null, timestamp: false };
  return { logger: pino(options, { write: line => lines.push(JSON.parse(line)) }), lines };
}
