import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const pages = globSync(['*.md', '{docs,patches}/**/*.md'], { cwd: root });
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Wider ones are broken by a terminal, and by a page beside another. */
const widestTable = 120;

test('no table is wider than 120 columns', () => {
  const wide = pages.flatMap(page =>
    read(page)
      .split('\n')
      .map((line, index) => ({ line, place: `${page}:${index + 1}` }))
      .filter(({ line }) => line.startsWith('|') && [...line].length > widestTable)
      .map(({ line, place }) => `${place} has ${[...line].length}`),
  );
  expect(wide).toEqual([]);
});

test('the README has at most 130 lines', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(130);
});

test('every link of a page leads to a file and a heading that there are', () => {
  const broken = pages.flatMap(page =>
    linksOf(page)
      .filter(link => !leadsSomewhere(page, link))
      .map(link => `${page}: ${link}`),
  );
  expect(pages.flatMap(linksOf).length).toBeGreaterThan(100);
  expect(broken).toEqual([]);
});

/** Without those to other sites, and without what stands in code. */
function linksOf(page: string): string[] {
  const text = read(page)
    .replace(/^```.*?^```/gms, '')
    .replace(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter(link => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : relative(root, resolve(root, dirname(page), path));
  if (!existsSync(join(root, target))) return false;
  if (anchor === undefined) return true;
  return statSync(join(root, target)).isFile() && anchorsOf(target).has(anchor);
}

/** As GitHub makes them of headings, and those that are written by hand. */
function anchorsOf(page: string): Set<string> {
  const text = read(page).replace(/^```.*?^```/gms, '');
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
  const written = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id);
  return new Set([...headings, ...written]);
}
