import { relative } from 'node:path';
import { styleText } from 'node:util';
import type { DataFolder } from '../dataFolder.ts';
import type { PlacedProgram } from '../programs/programs.ts';
import type { Service } from '../services/services.ts';

/** Albums to try: one of the sample catalogue, one that TIDAL has. */
const examples = {
  standIn: { tidalAlbumId: '51584178', title: 'Hamilton, 46 tracks' },
  real: { tidalAlbumId: '381265361', title: 'Die With A Smile' },
};

/** What runs, what of it is real, and where it is reached. */
export function announceParts(services: Service[], programs: PlacedProgram[]): string[] {
  const rows = [
    ...services.map(({ name, kind, address, takenPort }) => ({ name, kind, address, takenPort })),
    ...programs.map(({ name, address, frontDoor, takenPort }) => ({
      name,
      kind: 'running',
      address: `${address}${frontDoor}`,
      takenPort,
    })),
  ];
  return [
    styleText('bold', 'Segue is running'),
    ...rows.map(({ name, kind, address, takenPort }) => {
      const remark = takenPort === undefined ? '' : ` (port ${takenPort} is taken)`;
      return `  ${name.padEnd(10)}  ${kind.padEnd(8)}  ${address}${remark}`;
    }),
  ];
}

export type NextStepsOptions = {
  services: Service[];
  /** `http://127.0.0.1:4000` */
  api: string;
  folder: DataFolder;
  /** The collection of the index. */
  collection: string;
  /** Whether every line of the logs is shown anyway. */
  showsEverything: boolean;
};

/** What a person may want to do now. */
export function announceNextSteps({
  services,
  api,
  folder,
  collection,
  showsEverything,
}: NextStepsOptions): string[] {
  const service = Object.fromEntries(services.map(each => [each.name, each]));
  const { tidalAlbumId, title } = examples[service.TIDAL?.kind === 'real' ? 'real' : 'standIn'];
  const sql = 'SELECT status, reason, count(*) FROM ingestion_outbox GROUP BY 1, 2';
  const embedded = service.PostgreSQL?.kind === 'embedded';
  const databaseUrl = embedded ? `$(cat ${fromHere(folder.databaseUrl)})` : '$DATABASE_URL';
  return [
    `${styleText('bold', 'Add an album')}: open ${api}/graphiql and paste (${title})`,
    '  mutation {',
    `    addAlbumToLibrary(input: { tidalAlbumId: "${tidalAlbumId}" }) {`,
    '      ... on LibraryAlbum { title trackListing { title isrc ingestion { status } } }',
    '      ... on DuplicateLibraryItemError { message }',
    '    }',
    '  }',
    styleText('bold', 'See the outbox'),
    `  npm run sql -- "${sql}"`,
    `  psql "${databaseUrl}"`,
    ...(service.Inngest?.kind === 'stand-in'
      ? [`${styleText('bold', 'See what Inngest received')}: ${service.Inngest.address}/v1/events?limit=50`]
      : []),
    ...(service.Qdrant?.kind === 'stand-in'
      ? [
          styleText('bold', 'See the documents'),
          `  curl -s ${service.Qdrant.address}/collections/${collection}/points/scroll -H 'content-type: application/json' -d '{"limit": 5}'`,
        ]
      : []),
    `${styleText('bold', 'Logs')}: ${fromHere(folder.logs)}/; ${
      showsEverything
        ? 'every line is shown here, too'
        : 'what becomes of each recording is shown here, everything with LOG_LEVEL=info'
    }`,
    'Ctrl-C stops everything.',
  ];
}

/** A path as short as a person in the current folder would type it. */
function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
