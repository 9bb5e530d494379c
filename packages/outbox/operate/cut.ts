/**
 * Characters of a text that is shown to people in lists. A request can have texts of megabytes, and a page of them would
 * be as large.
 */
export const longestInLists = 100;
/** The same where the text has the room of its own page, and of what refused a request. */
export const longestAlone = 300;
/** What is read for it: one more, so that it is known that the text goes on. */
export const longestRead = longestAlone + 1;

/** A text of at most so many characters; one that was longer ends in `…`, and not in half of a character. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
}
