import type { Queryable } from '@segue/database/connection.ts';

/** What a relay says of itself. */
export type Heartbeat = {
  /** New with each start of a relay. */
  id: string;
  host: string;
  version: string;
  /** `held_back`: Inngest does not answer. */
  state: 'running' | 'held_back';
};

/** Notes in `relays`, on the database's clock, that the relay is there. */
export async function sayAlive(db: Queryable, { id, host, version, state }: Heartbeat): Promise<void> {
  await db`
    INSERT INTO relays (id, host, version, state) VALUES (${id}, ${host}, ${version}, ${state})
    ON CONFLICT (id) DO UPDATE SET last_heartbeat = now(), state = excluded.state`;
}

export async function sayStopped(db: Queryable, id: string): Promise<void> {
  await db`UPDATE relays SET state = 'stopped', last_heartbeat = now() WHERE id = ${id}`;
}
