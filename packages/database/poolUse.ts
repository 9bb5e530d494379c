import type { LabelsOf } from '@segue/telemetry/metrics/declaredMetrics.ts';
import type { Sql } from './connection.ts';

/** What the patch adds to the driver: see `patches/README.md`. */
type PatchedSql = { pool_use(): { in_use: number; idle: number; waiting: number } };

type Pool = LabelsOf<'segue_database_pool_connections'>['pool'];
type Reader = {
  read(
    name: 'segue_database_pool_connections',
    labels: LabelsOf<'segue_database_pool_connections'>,
    read: () => number,
  ): void;
  read(
    name: 'segue_database_pool_waiting_statements',
    labels: LabelsOf<'segue_database_pool_waiting_statements'>,
    read: () => number,
  ): void;
};

/** Shows how much of a pool is in use, and whether statements wait for a connection. Several count as one. */
export function showPoolUse(meter: Reader, pool: Pool, ...connections: Sql[]): void {
  const sum = (of: keyof ReturnType<PatchedSql['pool_use']>) => () =>
    connections.reduce((sum, sql) => sum + (sql as unknown as PatchedSql).pool_use()[of], 0);
  meter.read('segue_database_pool_connections', { pool, state: 'in_use' }, sum('in_use'));
  meter.read('segue_database_pool_connections', { pool, state: 'idle' }, sum('idle'));
  meter.read('segue_database_pool_waiting_statements', { pool }, sum('waiting'));
}
