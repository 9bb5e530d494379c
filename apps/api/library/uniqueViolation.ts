import postgres from 'postgres';

/** Whether a statement failed since another row has what must be unique under that constraint. */
export function violatesUnique(constraint: string, error: unknown): boolean {
  return (
    error instanceof postgres.PostgresError && error.code === '23505' && error.constraint_name === constraint
  );
}
