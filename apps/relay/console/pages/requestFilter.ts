import { readIsrc } from '@segue/ingestion/isrc.ts';
import { type OutboxFilter, requestStatuses } from '@segue/outbox/operate/filter.ts';
import { isolatedText } from './isolated.ts';
import { choice, field, wholeNumber } from './requestValues.ts';

/** Ages that the form offers, in seconds. */
export const ages = { '1m': 60, '5m': 300, '1h': 3_600, '1d': 86_400, '7d': 604_800 } as const;
export const ageWords = {
  '1m': '1 minute',
  '5m': '5 minutes',
  '1h': '1 hour',
  '1d': '1 day',
  '7d': '7 days',
} as const;
export type Age = keyof typeof ages;
const ageNames = Object.keys(ages) as Age[];

/** What the form says, as the address has it. */
export type FormFilter = {
  q?: string | undefined;
  status?: (typeof requestStatuses)[number] | undefined;
  error?: string | undefined;
  reason?: string | undefined;
  album?: string | undefined;
  older?: Age | undefined;
  newer?: Age | undefined;
  batch?: number | undefined;
  attempts?: number | undefined;
};

/** An album is found by its whole name, so that one with a longer name cannot be asked for. */
export const longestAlbum = 500;

/** Reads the filter of an address or a form; what makes no sense is left out. */
export function readFilter(values: unknown): FormFilter {
  return {
    q: field(values, 'q')?.slice(0, 200),
    status: choice(values, 'status', requestStatuses),
    error: field(values, 'error')?.slice(0, 200),
    reason: choice(values, 'reason', ['duplicate', 'already_indexed', 'discarded']),
    album: field(values, 'album')?.slice(0, longestAlbum),
    older: choice(values, 'older', ageNames),
    newer: choice(values, 'newer', ageNames),
    batch: wholeNumber(values, 'batch', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    attempts: wholeNumber(values, 'attempts', { min: 1, max: 1_000 }),
  };
}

/** The filter as an address has it, without what is left out. */
export function filterParameters(filter: FormFilter): [string, string][] {
  return Object.entries(filter).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
}

/** The address of a list. */
export function requestsPath(filter: FormFilter, more: Record<string, string> = {}): string {
  const parameters = new URLSearchParams([...filterParameters(filter), ...Object.entries(more)]);
  return parameters.size === 0 ? '/console/requests' : `/console/requests?${parameters}`;
}

/** The filter as the outbox reads it. An ISRC in the search means that recording; any other text is looked for. */
export function outboxFilter(
  { q, older, newer, batch, ...filter }: FormFilter,
  now = Date.now(),
): OutboxFilter {
  const reading = q === undefined ? undefined : readIsrc(q);
  return {
    ...filter,
    ...(reading !== undefined && 'isrc' in reading ? { isrc: reading.isrc } : { text: q }),
    albumBatchId: batch,
    createdBefore: older && new Date(now - ages[older] * 1_000),
    createdAfter: newer && new Date(now - ages[newer] * 1_000),
  };
}

/** Whether the filter says anything. */
export function isFiltered(filter: FormFilter): boolean {
  return filterParameters(filter).length > 0;
}

/** The filter in words: `status dead, refused with “429”`. */
export function filterInWords({
  q,
  status,
  error,
  reason,
  album,
  older,
  newer,
  batch,
  attempts,
}: FormFilter): string {
  const words = [
    status && `status ${status}`,
    q && `“${isolatedText(q)}”`,
    error && `refused with “${isolatedText(error)}”`,
    reason && `skipped as ${reason}`,
    album && `album “${isolatedText(album)}”`,
    batch && `album request ${batch}`,
    older && `older than ${ageWords[older]}`,
    newer && `of the last ${ageWords[newer]}`,
    attempts && `${attempts} or more refusals`,
  ].filter(Boolean);
  return words.length === 0 ? 'all requests' : words.join(', ');
}
