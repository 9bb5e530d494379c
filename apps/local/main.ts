import { connect } from '@segue/database/connection.ts';
import { migrate } from '@segue/database/migrate.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
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
  const qdrant = await service('Qdrant', () => standInForQdrant(stack, folder));
  const inngest = await service('Inngest', () => standInForInngest(stack, folder));
  const services = [postgres, tidal, qdrant, inngest];

  const environment = Object.assign({}, process.env, ...services.map(each => each.environment));
  const wanted = programsOf(configuration).filter(
    ({ name }) => name !== 'worker' || canRunWorker(configuration),
  );
  const programs = await Promise.all(wanted.map(each => place(each, environment)));
  const run = (program: PlacedProgram): Promise<void> => {
    const { name } = program;
    const log = openProcessLog(name, folder.logs, display);
    stack.defer(log.close);
    const start = (signal: AbortSignal) => startProgram(program, log, signal);
    return stack.use(supervise({ name, start, lastWords: log.lastWords }, { say })).ready;
  };
  // The worker first: a Dev Server drops the events that it gets before it knows of a function.
  const [others, workers] = [
    programs.filter(({ name }) => name !== 'worker'),
    programs.filter(({ name }) => name === 'worker'),
  ];
  await Promise.all(workers.map(run));
  await Promise.all(others.toReversed().map(run));

  for (const line of announceParts(services, programs)) say(line);
  if (workers.length === 0) {
    say(
      '  worker      missing   INNGEST_SIGNING_KEY is not set: a worker of your own is expected to take the events',
    );
  }
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
      const { QDRANT_URL: url = qdrant.address, QDRANT_API_KEY: apiKey } = configuration;
      const connection = connectToIndex({ url, apiKey, collection, timeoutMs: 5_000 });
      const index = workers.length === 0 ? null : connection;
      await playTourOnce(folder.tour, { api, sql, index, say, signal: stop });
    } else {
      say(`The library holds ${items} ${items === 1 ? 'item' : 'items'}.`);
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
  say();
  for (const line of announceNextSteps({ services, api, folder, collection, showsEverything })) say(line);
  display.showOutcomes();
}

/** With a server that signs its requests the worker needs the key, and that server must reach it. */
function canRunWorker({ INNGEST_EVENT_KEY, INNGEST_DEV, INNGEST_SIGNING_KEY }: Configuration): boolean {
  return INNGEST_SIGNING_KEY !== undefined || INNGEST_DEV !== undefined || INNGEST_EVENT_KEY === undefined;
}
