/** What JavaScript trims from a text, and so the schema of an event from a title: for `btrim` in SQL. */
export const blanks = [9, 10, 11, 12, 13, 32, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff]
  .concat(Array.from({ length: 11 }, (_, offset) => 0x2000 + offset))
  .map(code => String.fromCharCode(code))
  .join('');
