import type { Logger } from '@segue/telemetry/lines.ts';

export type LoggedLine = { level: string; event: string; msg?: string | undefined } & Record<string, unknown>;

/** A logger whose lines can be looked at. */
export function memoryLogger(): { logger: Logger; lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at = (level: string) => (line: object, msg?: string) => {
    lines.push({ level, msg, ...line } as LoggedLine);
  };
  const logger = Object.fromEntries(
    ['debug', 'info', 'warn', 'error', 'fatal'].map(level => [level, at(level)]),
  ) as unknown as Logger;
  return { logger, lines };
}
