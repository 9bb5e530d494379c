/** Relationship names to follow, each with those to follow from there. */
export type IncludeTree = Map<string, IncludeTree>;

export type ResourceType = 'tracks' | 'videos' | 'albums' | 'artists' | 'artworks';

/** Why TIDAL answers 400 to a request. */
export class InvalidRequest extends Error {}

/**
 * Which relationships of a resource can be included, and where they lead. TIDAL documents more of them
 * (genres, lyrics, similar tracks); the catalogue has none of that to show.
 */
const relationships: Record<ResourceType, Record<string, ResourceType[]>> = {
  tracks: { artists: ['artists'], albums: ['albums'] },
  videos: { artists: ['artists'], albums: ['albums'] },
  albums: { artists: ['artists'], coverArt: ['artworks'], items: ['tracks', 'videos'] },
  artists: {},
  artworks: {},
};

/** TIDAL's limit. Its other one, 10 resources named in all, is out of reach of the relationships above. */
const maxDepth = 3;

/**
 * Reads the parameter `include`: paths such as `albums.coverArt`, joined by commas or repeated.
 *
 * @param only the one relationship that a relationship's own endpoint may include
 * @throws {InvalidRequest} for a path that leads nowhere or is deeper than 3
 */
export function readInclude(
  raw: string | string[] | undefined,
  root: ResourceType,
  only?: string,
): IncludeTree {
  const tree: IncludeTree = new Map();
  for (const path of [raw ?? []].flat().join(',').split(',')) {
    if (path === '') continue;
    const names = path.split('.');
    if (names.length > maxDepth)
      throw new InvalidRequest(`Include path '${path}' is deeper than ${maxDepth}`);
    let branch = tree;
    let types = [root];
    for (const [depth, name] of names.entries()) {
      types = types.flatMap(type => relationships[type][name] ?? []);
      if (types.length === 0 || (depth === 0 && only !== undefined && name !== only)) {
        throw new InvalidRequest(`Invalid include path '${path}'`);
      }
      const next: IncludeTree = branch.get(name) ?? new Map();
      branch.set(name, next);
      branch = next;
    }
  }
  return tree;
}
