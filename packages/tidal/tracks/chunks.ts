/** TIDAL takes no more ids a request. */
export const chunkSize = 20;

/** The ids, 20 at a time. */
export function chunksOf(ids: string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / chunkSize) }, (_, chunk) =>
    ids.slice(chunk * chunkSize, (chunk + 1) * chunkSize),
  );
}
