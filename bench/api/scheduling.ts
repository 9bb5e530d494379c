/** How the API of a run sees to it that an added track gets into the index. */
export type Scheduling =
  /** As it is: a row in the outbox, written in the transaction that stores the track. */
  | 'outbox'
  /** Not at all: the mutation by itself. */
  | 'none'
  /** As before the outbox: ask the index and send the event inside the request, once the track is stored. */
  | 'in the request';
