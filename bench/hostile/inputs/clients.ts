import { type Input, request, send, type Target } from '../target.ts';

const question = '{ __typename }';
const answered = { status: 200, has: '"__typename":"Query"' };

/** Points 10 to 14: what clients send that is unusual and right, or nearly right. */
export function clientInputs(target: Target, paging: Target): Input[] {
  const typed = (type: string, more: Record<string, string> = {}) => ({
    headers: { 'content-type': type, ...more },
    body: JSON.stringify({ query: question }),
  });
  const bulk = (ids: string) =>
    `{"query": "mutation ($ids: [ID!]!) { addTracksToLibrary(input: {tidalTrackIds: $ids}) { __typename } }", "variables": {"ids": ${ids}}}`;
  return [
    request('10: a content type in capitals', target, typed('APPLICATION/JSON; Charset=UTF-8'), answered),
    request('10: another charset', target, typed('application/json; charset=utf-16'), { status: 415 }),
    request('10: an encoded body', target, typed('application/json', { 'content-encoding': 'gzip' }), {
      status: 415,
    }),
    request(
      '10: application/graphql-response+json',
      target,
      typed('application/json', { accept: 'application/graphql-response+json' }),
      answered,
    ),
    request(
      '11: null for a variable that has a default',
      target,
      {
        body: {
          query: 'query ($id: ID = "none") { getLibraryTrack(id: $id) { id } }',
          variables: { id: null },
        },
      },
      { status: [200, 400], has: 'BAD_USER_INPUT' },
    ),
    request(
      '11: a bulk with ids that are none',
      target,
      { body: bulk('["1\\u0000", "x", "9007199254740993"]') },
      { status: [200, 429], has: /"addTracksToLibrary":\[null,null,\{|RATE_LIMITED/ },
    ),
    request(
      '11: an id beyond 2^53 as a number',
      target,
      { body: bulk('[9007199254740993]') },
      {
        status: [200, 429],
        has: /"addTracksToLibrary":\[null\].*BAD_USER_INPUT|BAD_USER_INPUT|RATE_LIMITED/,
      },
    ),
    pageAndRemove(paging),
    webClient(target),
    {
      name: '14: the editor and its files',
      async once() {
        for (const file of ['', '/graphiql.js', '/react.js', '/examples.json']) {
          const response = await fetch(`${target.url}/graphiql${file}`);
          await response.arrayBuffer();
          if (response.status !== 200) return `/graphiql${file} is ${response.status}`;
        }
        return null;
      },
    },
  ];
}

/** A client that removes items while it pages through all, and begins anew at the end. */
function pageAndRemove(target: Target): Input {
  let after: string | null = null;
  return {
    name: '12: paging while items are removed',
    pauseMs: 200,
    async once() {
      const query =
        'query ($after: String) { libraryTracks(first: 20, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } totalCount } }';
      const { status, text } = await send(target, { body: { query, variables: { after } } });
      const page = JSON.parse(text).data?.libraryTracks;
      if (status !== 200 || !page) return `the page after ${after} is ${status}: ${text.slice(0, 300)}`;
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      const removal = 'mutation ($id: ID!) { removeTrackFromLibrary(id: $id) }';
      const id = page.nodes.at(-1)?.id;
      if (id === undefined) return null;
      const removed = await send(target, { body: { query: removal, variables: { id } } });
      return removed.status === 200 && /"removeTrackFromLibrary":true/.test(removed.text)
        ? null
        : `the removal is ${removed.status}: ${removed.text.slice(0, 300)}`;
    },
  };
}

const refusals =
  '... on DuplicateLibraryItemError { message existingItemId } ... on TidalApiUnavailableError { message retryable }';

/** The operations of the original web client, from the addition to the removal. */
function webClient(target: Target): Input {
  const run = async (operationName: string, query: string, variables: object) => {
    const { status, text } = await send(target, { body: { operationName, query, variables } });
    if (status === 429) return null;
    const { data, errors } = JSON.parse(text);
    if (status !== 200 || errors) throw new Error(`${operationName} is ${status}: ${text.slice(0, 300)}`);
    return data;
  };
  return {
    name: '13: the operations of the original web client',
    pauseMs: 500,
    async once() {
      try {
        const added = await run(
          'AddAlbumToLibrary',
          `mutation AddAlbumToLibrary($input: AddAlbumToLibraryInput!) { addAlbumToLibrary(input: $input) { __typename
            ... on LibraryAlbum { id tidalAlbumId title trackListing { position title duration tidalId explicit } } ${refusals} } }`,
          { input: { tidalAlbumId: '2000' } },
        );
        await run('GetLibraryAlbums', 'query GetLibraryAlbums { getLibraryAlbums { id title } }', {});
        await run(
          'GetLibraryTracks',
          'query GetLibraryTracks { getLibraryTracks { id title metadata { isrc } isIndexed } }',
          {},
        );
        const id = added?.addAlbumToLibrary.id ?? added?.addAlbumToLibrary.existingItemId;
        if (id === undefined) return null;
        await run(
          'GetLibraryAlbum',
          'query GetLibraryAlbum($id: ID!) { getLibraryAlbum(id: $id) { id trackListing { title isrc isIndexed } } }',
          { id },
        );
        await run(
          'RemoveAlbumFromLibrary',
          'mutation RemoveAlbumFromLibrary($id: ID!) { removeAlbumFromLibrary(id: $id) }',
          { id },
        );
        return null;
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
}
