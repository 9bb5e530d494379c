import { expectTypeOf, test } from 'vitest';
import type { LogLine } from './lines.ts';

test('a line carries an event of the map, at one of its levels', () => {
  expectTypeOf({ event: 'ingestion_scheduled' as const, isrc: 'USSM15900114' }).toExtend<LogLine<'info'>>();
  expectTypeOf({ event: 'ingestion_scheduled' as const }).not.toExtend<LogLine<'warn'>>();
  expectTypeOf({ event: 'never_heard_of' as const }).not.toExtend<LogLine<'info'>>();
  expectTypeOf({ isrc: 'USSM15900114' }).not.toExtend<LogLine<'info'>>();
});
