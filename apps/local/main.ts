import { connect } from '@segue/database/connection.ts';
import { migrate } from '@segue/database/migrate.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { readConfiguration } from './configuration.ts';
import { openDataFolder } from './dataFolder.ts';
import { createLogDisplay, openProcessLog } from './programs/processLog.ts';
import { type PlacedProgram, place, programsOf, startProgram } from './programs/programs.ts';
import { aborted, stopRequested } from './programs/stopping.ts';
import { supervise } from './programs/supervision.ts';
import { startEmbeddedPostgres } from './services/embeddedPostgres.ts';
import { findRealServices, type Service, type ServiceName } from './services/services.ts';
import { standInForInngest, standInForQdrant, standInForTidal } from './services/standIns.ts';
import { announceNextSteps, announceParts } from './tour/announcement.ts';
import { countItems, isTourDue, playTourOnce } from './tour/tour.ts';

/** `npm start`: everything on one machine, until somebody stops it. */
const stop = stopRequested();
const say = (line = '') => void process.stdout.write(`${line}\n`);
const complain = (line: string) => void process.stderr.write(`${line}\n`);

process.on('uncaughtException', error => {
  complain(`Segue ends, by a fault of its own: ${reasonOf(error)}`);
  process.exit(1);
});

try {
  // What was started last is stopped first.
  await using stack = new AsyncDisposableStack();
  await Promise.race([start(stack), aborted(stop)]);
  await aborted(stop);
  say('Segue stops …');
} catch (error) {
  complain(`Segue did not ${stop.aborted ? 'stop cleanly' : 'start'}: ${reasonOf(error)}`);
  process.exit(1);
}
process.exit(0);

async function start(stack: AsyncDisposableStack): Promise<void> {
  const configuration = readConfiguration();
  const { QDRANT_COLLECTION: collection, LOG_LEVEL } = configuration;
  const real = findRealServices(configuration);
  const folder = await openDataFolder(configuration.SEGUE_DATA_FOLDER);
  const showsEverything = LOG_LEVEL !== undefined;
  const display = createLogDisplay(say, { everything: showsEverything });
  say('Segue starts …');

  const service = async (name: ServiceName, standIn: () => Promise<Service>): Promise<Service> => {
    const address = real[name];
    return address === null ? await standIn() : { name, kind: 'real', address, environment: {} };
  };
  const postgres = await service('PostgreSQL', () => startEmbeddedPostgres(stack, folder, display));
  const databaseUrl = configuration.DATABASE_URL ?? (postgres.environment.DATABASE_URL as string);
  await migrate(databaseUrl, { schema: configuration.DATABASE_SCHEMA }).catch(cause => {
    throw new Error('the database cannot be brought up to date', { cause });
  });
  const tidal = await service('TIDAL', () => standInForTidal(stack));
  const qdrant = await service('Qdrant', () => standInForQdrant(stack, folder, collection));
  const inngest = await service('Inngest', () => standInForInngest(stack, folder));
  const services = [postgres, tidal, qdrant, inngest];

  const environment = Object.assign({}, process.env, ...services.map(each => each.environment));
  const programs = await Promise.all(programsOf(configuration).map(each => place(each, environment)));
  const run = (program: PlacedProgram): Promise<void> => {
    const { name } = program;
    const log = openProcessLog(name, folder.logs, display);
    stack.defer(log.close);
    const start = (signal: AbortSignal) => startProgram(program, log, signal);
    return stack.use(supervise({ name, start, lastWords: log.lastWords }, { say })).ready;
  };
  await Promise.all(programs.toReversed().map(run));

  for (const line of announceParts(services, programs)) say(line);
  say();
  const api = programs.find(({ name }) => name === 'api')?.address as string;
  const sql = connect({
    url: databaseUrl,
    schema: configuration.DATABASE_SCHEMA,
    applicationName: 'segue-local',
    max: 1,
  });
  try {
    const items = await countItems(sql);
    if (tidal.kind === 'stand-in' && (await isTourDue(folder.tour, items))) {
      const indexStandIn = qdrant.kind === 'stand-in' ? { url: qdrant.address, collection } : null;
      await playTourOnce(folder.tour, { api, sql, indexStandIn, say, signal: stop });
    } else {
      say(`The library holds ${items} ${items === 1 ? 'item' : 'items'}.`);
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
  say();
  for (const line of announceNextSteps({ services, api, folder, showsEverything })) say(line);
  display.showOutcomes();
}
