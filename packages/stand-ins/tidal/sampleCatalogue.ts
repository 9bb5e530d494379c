import type { Album, Artist, Catalogue, Recording } from './catalogue.ts';
import {
  abbeyRoad,
  hamilton,
  kindOfBlue,
  type Row,
  randomAccessMemories,
  twentyFive,
} from './sampleAlbums.ts';

const artists: Artist[] = [
  { id: '3634161', name: 'The Beatles' },
  { id: '8847', name: 'Daft Punk' },
  { id: '6414', name: 'Pharrell Williams' },
  { id: '10162', name: 'Nile Rodgers' },
  { id: '3527', name: 'Adele' },
  { id: '5937', name: 'Miles Davis' },
  { id: '7282154', name: 'Original Broadway Cast of Hamilton' },
];

/** Named on a track, and missing from the catalogue's artists: TIDAL names such ones, too. */
const unlistedArtists: Artist[] = [{ id: '3995478', name: 'Julian Casablancas' }];

type Sample = Omit<Album, 'artistIds' | 'items' | 'numberOfItems'> & { artist: string; volumes: Row[][] };

const samples: Sample[] = [
  {
    id: '55130630',
    title: 'Abbey Road (Remastered)',
    albumType: 'ALBUM',
    barcodeId: '00602577915123',
    releaseDate: '1969-09-26',
    copyright: '℗ 2009 Calderstone Productions Limited',
    cover: '5b1c37a2/6d0e/4f38/9c55/0a7d2e91b604',
    artist: 'The Beatles',
    volumes: [abbeyRoad],
  },
  {
    id: '20115556',
    title: 'Random Access Memories',
    albumType: 'ALBUM',
    barcodeId: '00886443919266',
    releaseDate: '2013-05-17',
    copyright: '℗ 2013 Daft Life Limited',
    cover: '8d24fe73/1a90/4c6b/b1d7/3e5f60c8a912',
    artist: 'Daft Punk',
    volumes: [randomAccessMemories],
  },
  {
    id: '53834610',
    title: '25',
    albumType: 'ALBUM',
    barcodeId: '00886445581959',
    releaseDate: '2015-11-20',
    copyright: '℗ 2015 XL Recordings Limited',
    cover: 'c0a6d81e/72f4/4b19/8e3c/915bd07f2a46',
    artist: 'Adele',
    volumes: [twentyFive],
  },
  // The same recording as on the album: another track id, the same ISRC.
  {
    id: '52986430',
    title: 'Hello',
    albumType: 'SINGLE',
    barcodeId: '00886445556902',
    releaseDate: '2015-10-23',
    copyright: '℗ 2015 XL Recordings Limited',
    cover: '1f7be905/c34d/4a82/a6f0/d82e6b31c957',
    artist: 'Adele',
    volumes: [twentyFive.slice(0, 1)],
  },
  {
    id: '1766029',
    title: 'Kind of Blue',
    albumType: 'ALBUM',
    barcodeId: '00074646493526',
    releaseDate: '1959-08-17',
    copyright: '℗ 1959 Sony Music Entertainment',
    cover: '3a95c4f8/0b6e/4d71/9f28/7c1d5ea0b463',
    artist: 'Miles Davis',
    volumes: [kindOfBlue],
  },
  {
    id: '51584178',
    title: 'Hamilton (Original Broadway Cast Recording)',
    albumType: 'ALBUM',
    barcodeId: '00075679929075',
    releaseDate: '2015-09-25',
    explicit: true,
    copyright: '℗ 2015 Hamilton Uptown, LLC',
    cover: 'e47a0b5d/92c1/4360/8b7f/26d9f1e3c805',
    artist: 'Original Broadway Cast of Hamilton',
    volumes: hamilton,
  },
];

const video: Recording = {
  id: '28048252',
  title: 'Lose Yourself to Dance',
  version: 'Official Video',
  isrc: 'XXDFT1300001',
  seconds: 260,
  artistIds: [artistId('Daft Punk'), artistId('Pharrell Williams')],
  albumIds: ['20115556'],
};

/**
 * What the stand-in for TIDAL offers when it is given nothing else: real albums, with the irregularities of
 * real listings spread over them. Artists, titles and ISRCs are the recordings' own as far as they are known
 * here; most ids, barcodes and covers are made up.
 *
 * | album | what is particular |
 * |---|---|
 * | 51584178 Hamilton | 46 tracks on two volumes |
 * | 55130630 Abbey Road | 17 items of which 15 are offered, and of these one is absent from `included` |
 * | 20115556 Random Access Memories | a video after its 13 tracks; an artist absent from `included` |
 * | 53834610 25, 52986430 Hello | one recording under two track ids |
 * | 1766029 Kind of Blue | a track whose listing lacks the ISRC, and one that has none at all |
 */
export const sampleCatalogue: Catalogue = makeCatalogue();

function makeCatalogue(): Catalogue {
  const made = samples.map(makeAlbum);
  const albums = made.map(({ album }) => album);
  const withVideo = albums.find(album => video.albumIds.includes(album.id));
  const trackNumber = randomAccessMemories.length + 1;
  withVideo?.items.push({ type: 'videos', id: video.id, volumeNumber: 1, trackNumber });
  return { artists, albums, tracks: made.flatMap(({ tracks }) => tracks), videos: [video] };
}

/** Numbers the tracks on from the album's own id, as TIDAL does. */
function makeAlbum({ artist, volumes, ...album }: Sample): { album: Album; tracks: Recording[] } {
  const items: Album['items'] = [];
  const tracks: Recording[] = [];
  let nextId = Number(album.id);
  for (const [volume, rows] of volumes.entries()) {
    for (const [index, [title, length, isrc, more = {}]] of rows.entries()) {
      const id = String(++nextId);
      if (more.unavailable) continue;
      const { featuring = [], version, listedWithout } = more;
      tracks.push({
        id,
        title,
        ...(version !== undefined && { version }),
        ...(isrc !== null && { isrc }),
        seconds: toSeconds(length),
        artistIds: [artist, ...featuring].map(artistId),
        albumIds: [album.id],
      });
      items.push({
        type: 'tracks',
        id,
        volumeNumber: volume + 1,
        trackNumber: index + 1,
        ...(listedWithout !== undefined && { listedWithout }),
      });
    }
  }
  const held = volumes.flat().length;
  const artistIds = [artistId(artist)];
  return {
    album: { ...album, artistIds, items, ...(held > items.length && { numberOfItems: held }) },
    tracks,
  };
}

function artistId(name: string): string {
  const artist = [...artists, ...unlistedArtists].find(each => each.name === name);
  if (artist === undefined)
    throw new Error(`The sample catalogue names ${name}, who is not among its artists`);
  return artist.id;
}

function toSeconds(length: string): number {
  const [minutes, seconds] = length.split(':').map(Number);
  return Number(minutes) * 60 + Number(seconds);
}
