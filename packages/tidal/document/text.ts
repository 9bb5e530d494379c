import { z } from 'zod';

/**
 * Text that PostgreSQL accepts: NUL characters are removed, since no text column takes them, and halves of
 * surrogate pairs replaced, since jsonb refuses them.
 */
export const text = z.string().transform(value => value.replaceAll('\0', '').toWellFormed());

/** Text that may be missing, null, blank or, since the schema drifts, no text at all; all of them are null. */
export const optionalText = text
  .nullish()
  .catch(null)
  .transform(value => (value == null || value.trim() === '' ? null : value));

/**
 * A title with its version (`Remastered 2011`, `feat. X`) in brackets behind it, as TIDAL's own apps show it. A title
 * that ends in the same brackets already stays as it is: "So What (Live)" with the version "Live", but "Live Forever"
 * becomes "Live Forever (Live)". An empty title stays empty: the version alone names nothing.
 */
export function fullTitle({ title, version }: { title: string; version: string | null }): string {
  const suffix = version?.trim();
  if (!suffix || title.trim() === '') return title;
  const end = title.trimEnd().toLowerCase();
  const inBrackets = [`(${suffix})`, `[${suffix}]`].map(text => text.toLowerCase());
  return inBrackets.some(text => end.endsWith(text)) ? title : `${title} (${suffix})`;
}
