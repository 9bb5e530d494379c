import { styleText } from 'node:util';

/** A stream that may be a terminal. */
export type StyledStream = NodeJS.WritableStream & { isTTY?: boolean };

/** What a colour or weight is called in `util.styleText`. */
export type Style = Parameters<typeof styleText>[0];

/**
 * Colours a text for a stream: only at a terminal, never with `NO_COLOR` or `TERM=dumb`.
 *
 * A colour never carries a meaning alone: the text says it, too.
 */
export function styled(
  style: Style,
  text: string,
  { stream, environment }: { stream: StyledStream; environment: NodeJS.ProcessEnv },
): string {
  const plain = !stream.isTTY || Boolean(environment.NO_COLOR) || environment.TERM === 'dumb';
  return plain ? text : styleText(style, text, { validateStream: false });
}
