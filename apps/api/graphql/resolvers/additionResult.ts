import type { TidalUnavailable } from '../../catalog/askCatalog.ts';
import type { Addition } from '../../library/library.ts';

const nouns = { LibraryTrack: 'track', LibraryAlbum: 'album' };

/** The member of the union that tells what came of an addition. */
export function additionResult<Item extends object>(
  type: keyof typeof nouns,
  tidalId: string,
  addition: Addition<Item>,
) {
  const noun = nouns[type];
  switch (addition.outcome) {
    case 'added':
      return { __typename: type, ...addition.item };
    case 'duplicate':
      return {
        __typename: 'DuplicateLibraryItemError',
        message: `This ${noun} is in the library already.`,
        existingItemId: addition.existingItemId,
      };
    case 'not_found':
      return {
        __typename: 'CatalogItemNotFoundError',
        message: `TIDAL has no ${noun} ${tidalId}, or does not offer it in this country.`,
        tidalId,
      };
    case 'tidal_unavailable':
      return {
        __typename: 'TidalApiUnavailableError',
        message: unavailable(addition, `${noun} ${tidalId}`),
        retryable: addition.retryable,
      };
  }
}

function unavailable({ retryable, unasked }: TidalUnavailable, subject: string): string {
  if (unasked) {
    return `So much is asked of TIDAL right now that ${subject} had no turn in time. Nothing was added; please try again in a moment.`;
  }
  return retryable
    ? `TIDAL cannot be asked for ${subject} right now. Nothing was added; please try again later.`
    : `TIDAL refuses to be asked for ${subject}. Nothing was added; trying again will not help until the operator has looked into it.`;
}

/** The same for many. GraphQL makes null, and an error beside it, of what threw. */
export function additionResults<Item extends object>(
  type: keyof typeof nouns,
  tidalIds: string[],
  additions: (Addition<Item> | Error)[],
) {
  return additions.map((addition, index) =>
    addition instanceof Error ? addition : additionResult(type, tidalIds[index] as string, addition),
  );
}
