import { html, type Markup } from './markup.ts';

/** Shapes differ, so that a state is told without its colour. */
const shapes = {
  brand: html`<path d="M3 13V11M7 17V7M11 20V4M15 15V9M19 18V6"/>`,
  good: html`<circle cx="12" cy="12" r="9"/><path d="m8 12.5 2.7 2.7L16 9.5"/>`,
  warning: html`<path d="M12 4 2.8 20h18.4Z"/><path d="M12 10v4.5M12 17v.2"/>`,
  failure: html`<path d="M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3Z"/><path d="m9 9 6 6m0-6-6 6"/>`,
  paused: html`<circle cx="12" cy="12" r="9"/><path d="M9.7 8.5v7m4.6-7v7"/>`,
  waiting: html`<circle cx="12" cy="12" r="9"/><path d="M12 7v5.2l3.3 2"/>`,
  sent: html`<path d="M3 12h16M13 6l6 6-6 6"/>`,
  skipped: html`<path d="M4 6v12l8-6ZM13 6v12l8-6Z"/>`,
  unknown: html`<circle cx="12" cy="12" r="9" stroke-dasharray="3.2 2.4"/><path d="M12 16.5v.2M9.7 9.6a2.4 2.4 0 1 1 3.4 2.3c-.8.4-1.1.9-1.1 1.6"/>`,
  person: html`<circle cx="12" cy="8" r="4"/><path d="M4.5 20c1-4 4-6 7.500-6s6.500 2 7.500 6"/>`,
  index: html`<ellipse cx="12" cy="6" rx="8" ry="3"/><path d="M4 6v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3"/>`,
} satisfies Record<string, Markup>;

export type IconName = keyof typeof shapes;

/** Decoration beside a word that says the same. */
export function icon(name: IconName): Markup {
  return html`<svg class="icon ${name}" viewBox="0 0 24 24" aria-hidden="true">${shapes[name]}</svg>`;
}
