import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

const contract = readFileSync(join(root, 'docs/contract.md'), 'utf8');

/** The numbers of the rules that have a heading in docs/contract.md, in the order of the page. */
const defined = [...contract.matchAll(/^### (R\d+): /gm)].map(([, rule]) => rule);

/** Whatever may cite a rule: code, tests, SQL, pages, manifests of containers. */
const files = globSync(
  [
    '{apps,packages,bench,scripts,test,docs}/**/*.{ts,js,md,graphql,sql,json,html}',
    'drizzle/*.sql',
    '*.{md,yml}',
    '**/Dockerfile',
  ],
  { cwd: root, exclude: path => path.includes('node_modules') || path.endsWith('bench/results.json') },
);

function citationsIn(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?<![\w-])R\d{1,2}(?![\w-])/g)].map(([rule]) => rule);
}

test('every rule that a file cites is defined in docs/contract.md', () => {
  const citations = files.flatMap(file => citationsIn(file).map(rule => ({ file, rule })));
  expect(citations.length).toBeGreaterThan(100);
  const strays = citations.filter(({ rule }) => !defined.includes(rule));
  expect(strays.map(({ file, rule }) => `${file} cites ${rule}`)).toEqual([]);
});

test('the rules are numbered from R1 without a gap', () => {
  expect(defined).toEqual(defined.map((_, index) => `R${index + 1}`));
});

test('every rule has an anchor and a link in the list at the top', () => {
  for (const rule of defined) {
    const anchor = rule?.toLowerCase();
    expect(contract).toContain(`<a id="${anchor}"></a>\n\n### ${rule}: `);
    expect(contract).toContain(`[${rule}](#${anchor})`);
  }
});
