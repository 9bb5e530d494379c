import type { Album, AlbumItem, Catalogue, Recording } from './catalogue.ts';
import { type IncludeTree, InvalidRequest, type ResourceType } from './include.ts';
import {
  albumResource,
  artistResource,
  artworkId,
  artworkResource,
  type Identifier,
  type Links,
  type Relationship,
  type Resource,
  recordingResource,
} from './resources.ts';

/** Items a page of a relationship; there is no parameter to change it. */
const pageSize = 20;

export type DocumentRequest = { countryCode: string; include: IncludeTree; includeText: string };
type LinkContext = { countryCode: string; includeText?: string };
/** A JSON:API document; `included` is there when the request named an include. */
export type Document = { data: Resource | Identifier[] | Resource[]; links: Links; included?: Resource[] };

/** Answers in documents; null stands for an id that the catalogue does not have. */
export type Documents = {
  track(id: string, request: DocumentRequest): Document | null;
  /** Unknown ids are left out; newest, that is the highest id, first. */
  tracks(ids: string[], request: DocumentRequest): Document;
  album(id: string, request: DocumentRequest): Document | null;
  /** @throws {InvalidRequest} for a cursor that was not given out */
  albumItems(id: string, cursor: string | undefined, request: DocumentRequest): Document | null;
};

export function documentsOf(catalogue: Catalogue): Documents {
  const graph = graphOf(catalogue);

  /** The primary resources, and what their includes lead to, each resource once. */
  const compound = (type: ResourceType, ids: string[], { include, countryCode }: DocumentRequest) => {
    const walk: Walk = { countryCode, reached: new Map() };
    const primary = ids.map(id => graph.visit({ type, id }, include, walk));
    const found = primary.filter(resource => resource !== undefined);
    const included = [...walk.reached.values()].filter(resource => !found.includes(resource));
    return { found, ...(include.size > 0 && { included }) };
  };
  const single = (type: ResourceType, id: string, request: DocumentRequest): Document | null => {
    const { found, ...included } = compound(type, [id], request);
    const [data] = found;
    return data === undefined
      ? null
      : { data, links: { self: linkTo(`/${type}/${id}`, request) }, ...included };
  };

  return {
    track: (id, request) => single('tracks', id, request),
    tracks(ids, request) {
      const newestFirst = [...new Set(ids)].sort((one, other) => Number(other) - Number(one));
      const { found, ...included } = compound('tracks', newestFirst, request);
      return {
        data: found,
        links: { self: linkTo('/tracks', request, { 'filter[id]': ids.join(',') }) },
        ...included,
      };
    },
    album: (id, request) => single('albums', id, request),
    albumItems(id, cursor, request) {
      const album = graph.album(id);
      if (album === undefined) return null;
      const { data, links } = itemsPage(album, request, cursor);
      const branch = request.include.get('items');
      if (branch === undefined) return { data, links };
      const walk: Walk = { countryCode: request.countryCode, reached: new Map() };
      graph.visitItems(album, data, branch, walk);
      return { data, links, included: [...walk.reached.values()] };
    },
  };
}

/** The resources that one request has reached, by type and id. */
type Walk = { countryCode: string; reached: Map<string, Resource> };

/** The catalogue as resources that lead to one another. */
function graphOf(catalogue: Catalogue) {
  const byId = <Kind extends { id: string }>(kinds: Kind[]) => new Map(kinds.map(kind => [kind.id, kind]));
  const artists = byId(catalogue.artists);
  const albums = byId(catalogue.albums);
  const recordings = { tracks: byId(catalogue.tracks), videos: byId(catalogue.videos) };
  const covers = new Map(catalogue.albums.map(({ cover = '' }) => [artworkId(cover), cover]));

  const secondsOf = (album: Album) =>
    album.items.reduce((sum, item) => sum + (recordings[item.type].get(item.id)?.seconds ?? 0), 0);

  const build = ({ type, id }: Identifier, withIsrc: boolean): Resource | undefined => {
    if (type === 'tracks' || type === 'videos') {
      const recording = recordings[type].get(id);
      return recording && recordingResource(type, recording, withIsrc);
    }
    if (type === 'albums') {
      const album = albums.get(id);
      return album && albumResource(album, secondsOf(album));
    }
    if (type === 'artists') {
      const artist = artists.get(id);
      return artist && artistResource(artist);
    }
    return artworkResource(id, covers.get(id) ?? '');
  };

  const identifiersOf = ({ type, id }: Identifier, name: string): Identifier[] => {
    const source: Recording | Album | undefined =
      type === 'tracks' || type === 'videos' ? recordings[type].get(id) : albums.get(id);
    if (source === undefined) return [];
    if (name === 'artists') return source.artistIds.map(artist => ({ id: artist, type: 'artists' }));
    if ('albumIds' in source) return source.albumIds.map(album => ({ id: album, type: 'albums' }));
    return source.cover === undefined ? [] : [{ id: artworkId(source.cover), type: 'artworks' }];
  };

  const visit = (
    target: Identifier,
    tree: IncludeTree,
    walk: Walk,
    withIsrc = true,
  ): Resource | undefined => {
    const { countryCode } = walk;
    const key = `${target.type}/${target.id}`;
    const resource = walk.reached.get(key) ?? build(target, withIsrc);
    if (resource === undefined) return undefined;
    walk.reached.set(key, resource);
    for (const [name, branch] of tree) {
      resource.relationships ??= {};
      const album = name === 'items' ? albums.get(target.id) : undefined;
      if (album !== undefined) {
        const page = itemsPage(album, { countryCode });
        resource.relationships[name] = page;
        visitItems(album, page.data, branch, walk);
        continue;
      }
      const data = identifiersOf(target, name);
      const links = { self: linkTo(`/${key}/relationships/${name}`, { countryCode }) };
      resource.relationships[name] = { data, links };
      for (const next of data) visit(next, branch, walk);
    }
    return resource;
  };

  const visitItems = (album: Album, page: Identifier[], tree: IncludeTree, walk: Walk) => {
    for (const { id, type } of page) {
      const { listedWithout } = album.items.find(item => item.id === id && item.type === type) as AlbumItem;
      if (listedWithout === 'resource') continue;
      visit({ id, type }, tree, walk, listedWithout !== 'isrc');
    }
  };

  return { album: (id: string) => albums.get(id), visit, visitItems };
}

/** A page of an album's items. The `next` of a page embedded in an album has no include, as on TIDAL. */
function itemsPage(album: Album, request: LinkContext, cursor?: string): Relationship {
  const path = `/albums/${album.id}/relationships/items`;
  const start = cursor === undefined ? 0 : readCursor(cursor);
  const end = start + pageSize;
  const data = album.items.slice(start, end).map(({ type, id, volumeNumber, trackNumber }) => ({
    id,
    type,
    meta: { volumeNumber, trackNumber },
  }));
  const links: Links = {
    self: linkTo(path, request, cursor === undefined ? {} : { 'page[cursor]': cursor }),
  };
  if (end < album.items.length) {
    const nextCursor = Buffer.from(`items ${end}`).toString('base64url');
    links.next = linkTo(path, request, { 'page[cursor]': nextCursor });
    links.meta = { nextCursor };
  }
  return { data, links };
}

function readCursor(cursor: string): number {
  const [, start] = /^items (\d+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (start === undefined) throw new InvalidRequest('Invalid page[cursor]');
  return Number(start);
}

/** A link as TIDAL writes them: relative, without `/v2`, the country last. */
function linkTo(
  path: string,
  { countryCode, includeText }: LinkContext,
  own: Record<string, string> = {},
): string {
  const parameters = new URLSearchParams({ ...own, ...(includeText && { include: includeText }) });
  parameters.sort();
  parameters.append('countryCode', countryCode);
  return `${path}?${parameters}`;
}
