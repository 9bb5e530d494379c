/**
 * Lists the licences of what the API and the relay bring along at run time, as Markdown, from an SBOM on stdin:
 * `npm run --silent sbom | node scripts/licences.ts > docs/licences.md`.
 */
type Component = {
  name: string;
  version: string;
  purl: string;
  licenses?: { license?: { id?: string; name?: string }; expression?: string }[];
};

const text = await new Response(process.stdin as unknown as ReadableStream).text();
const { components } = JSON.parse(text) as { components: Component[] };

const foreign = components.filter(({ purl }) => !purl.startsWith('pkg:npm/%40segue/'));
const byLicence = Map.groupBy(foreign, licenceOf);
const rows = [...byLicence]
  .sort(([one], [other]) => one.localeCompare(other))
  .map(([licence, bearers]) => `| ${licence} | ${bearers.length} | ${listOf(bearers)} |`);

console.log(`# Licences of run-time dependencies

${foreign.length} packages, as \`npm run sbom\` lists them; written by \`scripts/licences.ts\`.

| licence | packages | |
|---|---|---|
${rows.join('\n')}`);

function licenceOf({ licenses = [] }: Component): string {
  const [first] = licenses;
  return first?.expression ?? first?.license?.id ?? first?.license?.name ?? 'none named';
}

function listOf(bearers: Component[]): string {
  return [...new Set(bearers.map(({ name, version }) => `${name} ${version}`))].sort().join(', ');
}
