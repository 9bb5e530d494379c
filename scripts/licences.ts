/**
 * Lists the licences of what the API, the relay and the worker bring along at run time, as Markdown, from an SBOM on stdin:
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
const sorted = [...byLicence].sort(([one], [other]) => one.localeCompare(other));

console.log(`# Licences of run-time dependencies

${foreign.length} packages that the API, the relay and the worker bring along, as \`npm run sbom\` lists them. Written by
\`scripts/licences.ts\`.

| licence | packages |
|---|---|
${sorted.map(([licence, bearers]) => `| ${licence} | ${bearers.length} |`).join('\n')}

${sorted.map(([licence, bearers]) => `## ${licence}\n\n${wrapped(namesOf(bearers))}\n`).join('\n')}`);

function licenceOf({ licenses = [] }: Component): string {
  const [first] = licenses;
  return first?.expression ?? first?.license?.id ?? first?.license?.name ?? 'none that SPDX lists';
}

function namesOf(bearers: Component[]): string[] {
  return [...new Set(bearers.map(({ name, version }) => `${name} ${version}`))].sort();
}

/** Names with commas between, in lines of at most 120 characters. */
function wrapped(names: string[]): string {
  const lines = [''];
  for (const [index, name] of names.entries()) {
    const text = index < names.length - 1 ? `${name},` : name;
    const line = lines.at(-1) as string;
    if (line === '') lines[lines.length - 1] = text;
    else if (line.length + text.length < 120) lines[lines.length - 1] = `${line} ${text}`;
    else lines.push(text);
  }
  return lines.join('\n');
}
