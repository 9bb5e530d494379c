import type { LogFields } from '@segue/ingestion/logEvents.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { originFields } from '@segue/telemetry/origin.ts';
import { pino } from 'pino';

export type LoggedLine = Partial<LogFields> & { level: number; msg?: string; requestId?: string };

/** pino's numbers. */
export const levels = { debug: 20, info: 30, warn: 40, error: 50 };

/** A logger that keeps its lines, with what ours adds to each and without what pino adds. */
export function loggerInMemory(): { logger: Logger; lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const options = { level: 'debug', base: null, timestamp: false, mixin: originFields };
  return { logger: pino(options, { write: line => lines.push(JSON.parse(line)) }), lines };
}
