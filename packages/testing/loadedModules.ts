/** Says on stderr which packages of OpenTelemetry a process loads. */
const sayWhatIsLoaded = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  const said = new Set();
  registerHooks({
    load(url, context, next) {
      const [, name] = /node_modules\\/(@opentelemetry\\/[\\w-]+)/.exec(url) ?? [];
      if (name && !said.has(name)) writeSync(2, 'loads ' + name + '\\n');
      said.add(name);
      return next(url, context);
    },
  });
`)}`;

/** For the environment of a process whose packages {@link loadedTelemetry} is to tell. */
export const telling = { NODE_OPTIONS: `--import=${sayWhatIsLoaded}` };

/** The packages of OpenTelemetry that a process has loaded so far. */
export function loadedTelemetry({ output }: { output: readonly string[] }): string[] {
  const lines = output.filter(line => line.startsWith('loads '));
  return [...new Set(lines.map(line => line.slice('loads '.length)))].sort();
}
