-- The SQL twin of normaliseIsrc() in packages/ingestion/isrc.ts takes ISRCs as they are printed, as the TypeScript does:
-- characters without a width are separators, too, and the label "ISRC" or "ISRC:" goes where twelve letters and digits
-- remain after it. A test holds the two together.
CREATE OR REPLACE FUNCTION normalise_isrc(isrc text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(
  translate(
    regexp_replace(isrc COLLATE "C", E'[\\s\\u00a0\\u00ad\\u1680\\u180e\\u2000-\\u200f\\u2010\\u2011\\u2028\\u2029\\u202f\\u205f\\u2060-\\u2064\\u3000\\ufeff-]', '', 'g'),
    'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'),
  '^ISRC:?(?=[A-Z0-9]{12}$)', '');
