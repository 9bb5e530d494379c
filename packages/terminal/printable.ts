/** Control characters, and those that turn the direction of writing around. */
const obeyed = /[\p{Cc}\p{Bidi_Control}]+/gu;

/**
 * A text as a terminal may show it. What a catalogue or a server says must not move the cursor, name the window, or mirror
 * the words behind it: a terminal obeys such characters in place of showing them.
 */
export function printable(text: string): string {
  return text.replace(obeyed, ' ');
}
