import { globSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * For the build of an image: takes out of the manifests and of the lock file, in the current folder, what the
 * image does not need, so that `npm ci` neither fetches nor installs it.
 *
 * - Development dependencies of every workspace. `npm ci --omit=dev --workspace=…` leaves them in when another
 *   workspace needs them at run time (npm 11.19): the API's image had Inngest's SDK and a PostgreSQL in it.
 * - The packages named as arguments, whoever asks for them.
 */
type Manifest = { dependencies?: Record<string, string>; devDependencies?: Record<string, string> };

const unwanted = process.argv.slice(2);
const lock = read<{ packages: Record<string, Manifest> }>('package-lock.json');

for (const name of unwanted) {
  const found = Object.values(lock.packages).some(({ dependencies }) => dependencies?.[name] !== undefined);
  if (!found) throw new Error(`${name} is to be left out, but no package asks for it any longer`);
}

for (const manifest of Object.values(lock.packages)) strip(manifest);
write('package-lock.json', lock);

for (const file of ['package.json', ...globSync('{apps,packages}/*/package.json')]) {
  const manifest = read<Manifest>(file);
  strip(manifest);
  write(file, manifest);
}

function strip(manifest: Manifest): void {
  delete manifest.devDependencies;
  for (const name of unwanted) delete manifest.dependencies?.[name];
}

function read<Content>(file: string): Content {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function write(file: string, content: object): void {
  writeFileSync(file, JSON.stringify(content, null, 2));
}
