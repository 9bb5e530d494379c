import { z } from 'zod';
import { TidalApiError } from '../http/error.ts';

/**
 * TIDAL's ids are digits in a text, for artworks letters as well; a number is taken, too. What an address would need an
 * escape for is no id: the database refuses some of it.
 */
export const idSchema = z
  .union([z.string(), z.int().transform(String)])
  .pipe(z.string().regex(/^[\w.~-]{1,100}$/));

/** A count, as a number or a text of digits; null for what is none. Bounded, so that it fits a column. */
export const countSchema = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,7}$/)
      .transform(Number),
  ])
  .pipe(z.int().min(0).max(1_000_000))
  .nullish()
  .catch(null)
  .transform(count => count ?? null);

const referenceSchema = z.object({ id: idSchema, type: z.string() });

/** One resource as another names it. */
export type Reference = z.infer<typeof referenceSchema>;

/** The resources that came along with the one asked for, by {@link referenceKey}; each still to be read. */
export type Included = Map<string, unknown>;

export function referenceKey({ type, id }: Reference): string {
  return `${type}/${id}`;
}

/** A list of which the readable members are kept: one odd member must not cost the others. */
export function readableListOf<Member>(member: z.ZodType<Member>) {
  return z
    .array(z.unknown())
    .catch([])
    .transform(list =>
      list.flatMap(value => {
        const { success, data } = member.safeParse(value);
        return success ? [data] : [];
      }),
    );
}

/**
 * A relationship to many. Without `data`, which TIDAL leaves out of what was not included, it names none; a single
 * reference in place of a list names one.
 */
export const toMany = z
  .object({
    data: z
      .unknown()
      .transform(data => [data].flat())
      .pipe(readableListOf(referenceSchema)),
  })
  .transform(({ data }) => data)
  .catch([]);

/** The `included` member of a document. */
export const includedSchema = readableListOf(z.looseObject(referenceSchema.shape)).transform(
  (resources): Included => new Map(resources.map(resource => [referenceKey(resource), resource])),
);

/** The first of the named resources that is included and has the shape; null when none is. */
export function firstIncluded<Resource>(
  included: Included,
  references: Reference[],
  schema: z.ZodType<Resource>,
): Resource | null {
  for (const reference of references) {
    const { success, data } = schema.safeParse(included.get(referenceKey(reference)));
    if (success) return data;
  }
  return null;
}

/**
 * Reads what TIDAL answered with a 2xx.
 *
 * @throws TidalApiError, not retryable, that names the fields which are missing or wrong
 */
export function readShape<Shape>(schema: z.ZodType<Shape>, body: unknown, subject: string): Shape {
  const { success, data, error } = schema.safeParse(body);
  if (success) return data;
  const problems = error.issues
    .map(issue => `${issue.path.join('.') || 'body'}: ${issue.message}`)
    .join('; ');
  throw new TidalApiError(`TIDAL's answer for ${subject} is not of the expected shape: ${problems}`, {
    retryable: false,
    status: 200,
  });
}
