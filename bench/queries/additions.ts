/** Albums that are added, as many as a bulk may have. */
export const addedAlbums = {
  ids: Array.from({ length: 100 }, (_, n) => String(5_000 + n)),
  tracks: 75,
};

/** A hundred tracks of the second album and the third. */
export const addedTracks = Array.from(
  { length: 100 },
  (_, n) => `${5_001 + Math.floor(n / 75)}${String((n % 75) + 1).padStart(4, '0')}`,
);
