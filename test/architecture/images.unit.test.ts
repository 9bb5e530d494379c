import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** What the sources of an image import, over all that they import in turn. */
function importsOf(entries: string[]): { files: string[]; libraries: string[] } {
  const files = new Set<string>();
  const libraries = new Set<string>();
  const waiting = entries.map(entry => join(root, entry));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    const text = readFileSync(file, 'utf8');
    // What is imported for its types alone is not loaded.
    const found = text.matchAll(
      /^(?:import|export)\s(?!type\s)[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm,
    );
    for (const match of found) {
      const target = (match[1] ?? match[2] ?? match[3]) as string;
      const [, name, rest] = /^@segue\/([^/]+)\/(.+)$/.exec(target) ?? [];
      if (target.startsWith('.')) waiting.push(resolve(dirname(file), target));
      else if (name !== undefined) {
        const room = ['packages', 'apps'].find(kind => existsSync(join(root, kind, name)));
        waiting.push(join(root, room ?? '', name, rest ?? ''));
      } else libraries.add(/^(@[^/]+\/)?[^/]+/.exec(target)?.[0] as string);
    }
  }
  return { files: [...files].map(file => relative(root, file)), libraries: [...libraries] };
}

describe.each([
  ['api', ['apps/api/program.ts']],
  ['relay', ['apps/relay/program.ts', 'apps/cli/main.ts']],
  ['worker', ['apps/worker/program.ts']],
])('the image of the %s', (app, entries) => {
  const dockerfile = readFileSync(join(root, `apps/${app}/Dockerfile`), 'utf8');
  const { files, libraries } = importsOf(entries);

  test('has each package of ours that its processes load, with its manifest', () => {
    const rooms = [...new Set(files.map(file => file.split('/').slice(0, 2).join('/')))];
    expect(rooms.length).toBeGreaterThan(4);
    for (const room of rooms) {
      expect(dockerfile).toContain(`COPY ${room}/package.json ${room}/\n`);
      expect(dockerfile).toContain(`COPY ${room} ${room}\n`);
    }
  });

  test('starts the process as `npm run` does, with its limits of memory', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const [, command = ''] = /^CMD (.*)$/m.exec(dockerfile) ?? [];
    expect(JSON.parse(command).join(' ')).toBe(scripts[app].replace(/^exec /, ''));
  });

  test('leaves out no library that its processes load', () => {
    const [, listed = ''] = /node leanManifests\.ts([^&]*)/.exec(dockerfile) ?? [];
    const leftOut = listed.split(/[\s\\]+/).filter(Boolean);
    expect(libraries).toContain('pino');
    expect(libraries.filter(library => leftOut.includes(library))).toEqual([]);
  });
});
