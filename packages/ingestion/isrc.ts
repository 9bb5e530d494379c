/** An ISRC in its one canonical spelling: twelve characters, `^[A-Z0-9]{12}$`. */
export type Isrc = string & { readonly __brand: 'Isrc' };

export type IsrcProblem = 'missing_isrc' | 'invalid_isrc';

const canonical = /^[A-Z0-9]{12}$/;
/**
 * Spaces and hyphens, the Unicode hyphen U+2010 and its non-breaking sister U+2011 included, and characters that have
 * no width: labels paste ISRCs from typeset pages and from web pages. The migration that makes `normalise_isrc()` must
 * list the same characters.
 */
const separators = /[\s\u2010\u2011\u00ad\u180e\u200b-\u200f\u2060-\u2064-]/gu;

/** "ISRC" or "ISRC:" before the code, as it is printed. Codes that begin with these letters have no more than twelve. */
const label = /^ISRC:?(?=[A-Z0-9]{12}$)/;

/**
 * Writes an ISRC the canonical way: separators out, upper case, and without the label "ISRC" or "ISRC:" where twelve
 * letters and digits remain after it.
 *
 * Upper-casing is limited to ASCII, since `'ı'.toUpperCase()` is `'I'` and would make a valid code of an
 * invalid one. The result is not necessarily valid; ask {@link isIsrc}.
 */
export function normaliseIsrc(text: string): string {
  return text
    .replace(separators, '')
    .replace(/[a-z]+/g, letters => letters.toUpperCase())
    .replace(label, '');
}

/** Whether the text is a valid ISRC in its canonical spelling. */
export function isIsrc(text: string): text is Isrc {
  return canonical.test(text);
}

/** Reads an ISRC in whatever spelling it came, or says why it is not usable (rule R9). */
export function readIsrc(text: string | null | undefined): { isrc: Isrc } | { problem: IsrcProblem } {
  const normalised = normaliseIsrc(text ?? '');
  if (normalised === '') return { problem: 'missing_isrc' };
  return isIsrc(normalised) ? { isrc: normalised } : { problem: 'invalid_isrc' };
}
