import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import { albumsOf } from '../hostile/catalogue.ts';
import { addedAlbums } from './additions.ts';

/** TIDAL with large albums and without a limit, in a process of its own. */
const tidal = await startTidal({
  host: '127.0.0.1',
  port: 0,
  // As the API of the benchmarks names itself.
  clientId: 'bench',
  clientSecret: 'bench',
  catalogue: albumsOf([[addedAlbums.ids, addedAlbums.tracks]]),
});
process.send?.({ apiUrl: tidal.apiUrl, authUrl: tidal.authUrl });
// Whoever asked is gone.
process.on('disconnect', () => process.exit());
