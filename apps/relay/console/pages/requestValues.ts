/** One value of a query or a form; undefined where it is missing, empty, or there twice. Cut at 1,000 characters. */
export function field(values: unknown, name: string): string | undefined {
  const value = (values as Record<string, unknown> | null | undefined)?.[name];
  if (typeof value !== 'string') return undefined;
  // PostgreSQL keeps no NUL and no half of a character.
  const text = value.replaceAll('\0', '').toWellFormed().trim().slice(0, 1_000).toWellFormed();
  return text === '' ? undefined : text;
}

/** All values of a name, at most so many. */
export function fields(values: unknown, name: string, atMost: number): string[] {
  const value = (values as Record<string, unknown> | null | undefined)?.[name];
  const all = Array.isArray(value) ? value : [value];
  return all.filter(entry => typeof entry === 'string').slice(0, atMost);
}

/** A whole number within bounds; undefined for anything else, so that no number of an address goes further. */
export function wholeNumber(
  values: unknown,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const text = field(values, name);
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) && number >= min && number <= max ? number : undefined;
}

/** One of a few words; undefined for any other. */
export function choice<Word extends string>(
  values: unknown,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = field(values, name);
  return words.find(word => word === text);
}
