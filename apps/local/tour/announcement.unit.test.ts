import { stripVTControlCharacters } from 'node:util';
import { sampleCatalogue } from '@segue/stand-ins/tidal/sampleCatalogue.ts';
import { expect, test } from 'vitest';
import { readConfiguration } from '../configuration.ts';
import { dataFolderAt } from '../dataFolder.ts';
import { programsOf } from '../programs/programs.ts';
import type { Service } from '../services/services.ts';
import { announceNextSteps, announceParts } from './announcement.ts';

const plain = (lines: string[]) => lines.map(stripVTControlCharacters);
const service = (name: Service['name'], kind: Service['kind'], more: Partial<Service> = {}): Service => ({
  name,
  kind,
  address: `http://${name.toLowerCase()}`,
  environment: {},
  ...more,
});
const nextSteps = (services: Service[]) =>
  plain(
    announceNextSteps({
      services,
      api: 'http://127.0.0.1:4000',
      folder: dataFolderAt('/data'),
      collection: 'tracks',
      showsEverything: false,
    }),
  ).join('\n');

test('each part is told with what it is, where it is, and why it is not where it should be', () => {
  const programs = programsOf(readConfiguration({})).map(program => ({
    ...program,
    address: `http://127.0.0.1:${program.port + 1}`,
    takenPort: program.port,
    environment: {},
  }));
  const services = [service('TIDAL', 'real'), service('Inngest', 'stand-in', { takenPort: 8288 })];
  expect(plain(announceParts(services, programs)).slice(1)).toEqual([
    '  TIDAL       real      http://tidal',
    '  Inngest     stand-in  http://inngest (port 8288 is taken)',
    '  api         running   http://127.0.0.1:4001/graphql (port 4000 is taken)',
    '  relay       running   http://127.0.0.1:4101/console/ (port 4100 is taken)',
    '  worker      running   http://127.0.0.1:4201/readyz (port 4200 is taken)',
  ]);
});

test('the mutation to paste names an album that the catalogue has', () => {
  const steps = nextSteps([service('TIDAL', 'stand-in')]);
  const id = /tidalAlbumId: "(\d+)"/.exec(steps)?.[1];
  expect(sampleCatalogue.albums.map(album => album.id)).toContain(id);
  expect(nextSteps([service('TIDAL', 'real')])).not.toContain(id);
});

test('only what is ours can be looked into without more', () => {
  const ours = nextSteps([service('PostgreSQL', 'embedded'), service('Inngest', 'stand-in')]);
  expect(ours).toContain('psql "$(cat /data/database-url)"');
  expect(ours).toContain('http://inngest/v1/events');
  const real = nextSteps([service('PostgreSQL', 'real'), service('Inngest', 'real')]);
  expect(real).toContain('psql "$DATABASE_URL"');
  expect(real).not.toContain('http://inngest');
});
