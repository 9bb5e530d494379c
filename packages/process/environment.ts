import { z } from 'zod';

/** The environment lacks something or says something unusable. The message names each variable. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError';
}

/**
 * Reads a process's configuration from its environment. An empty variable counts as missing, as compose
 * files write an unset one.
 *
 * @throws ConfigurationError naming every variable that is wrong and what is wrong with it. Values are never
 * repeated: they can be secrets.
 */
export function readEnvironment<Schema extends z.ZodObject>(
  schema: Schema,
  environment: NodeJS.ProcessEnv = process.env,
): z.infer<Schema> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).map(name => [name, environment[name]?.trim() || undefined]),
  );
  const result = schema.safeParse(given, {
    error: issue => (issue.input === undefined ? 'is not set' : undefined),
  });
  if (result.success) return result.data;
  throw new ConfigurationError(
    result.error.issues.map(issue => `${issue.path.join('.')} ${issue.message}`).join('; '),
  );
}

/** A whole number in a range, with a default. */
export function wholeNumber(fallback: number, { min, max }: { min: number; max: number }) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
    .default(fallback);
}

/** A TCP port. 0 lets the system choose one; the log says which. */
export const port = (fallback: number) => wholeNumber(fallback, { min: 0, max: 65_535 });

/**
 * An http or https address without a trailing slash. One with a user or a password in it is refused: errors and log lines
 * repeat addresses, and `fetch` takes none with a login.
 */
export const httpUrl = z
  .string()
  .refine(text => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'must be an http:// or https:// address')
  .refine(text => !hasLogin(text), 'must be an address without a user and a password')
  .transform(text => text.replace(/\/+$/, ''));

/** The entries of a list, without spaces around them, and without empty ones. */
export function commaSeparated(text: string): string[] {
  return text.split(',').flatMap(entry => entry.trim() || []);
}

/** HTTP addresses in a list. */
export const httpUrls = z.string().transform(commaSeparated).pipe(z.array(httpUrl));

/** Whether an address has a user or a password in it. */
export function hasLogin(text: string): boolean {
  const { username = '', password = '' } = URL.parse(text) ?? {};
  return username !== '' || password !== '';
}

/** A key, a token or a password. It is sent in a header, which takes no other characters. */
export const secret = z
  .string()
  .regex(/^[\x20-\x7e]*$/, 'must have no line break and no character outside of ASCII');

export const logLevel = z
  .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    error: 'must be one of fatal, error, warn, info, debug, trace, silent',
  })
  .default('info');

/** Who asks for `/metrics` has to send it. Such a text is guessed at as fast as it is answered. */
export const metricsToken = secret.min(16, 'must have at least 16 characters').optional();
