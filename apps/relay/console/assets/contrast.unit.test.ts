import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const styles = readFileSync(join(import.meta.dirname, 'browser/console.css'), 'utf8');
const themes = ['light', 'dark'] as const;
const backs = ['page', 'panel', 'raised'];

/** What a text has to its ground by WCAG 2: 4.5 is enough, and 7 for small grey texts is better. */
test.each(
  themes.flatMap(theme =>
    ['text', 'muted', 'accent', 'good', 'warning', 'failure'].flatMap(name =>
      backs.map(back => ({ theme, name, back, least: ['text', 'muted'].includes(name) ? 7 : 4.5 })),
    ),
  ),
)('$name on $back is read well: $theme', ({ theme, name, back, least }) => {
  const [lighter, darker] = [name, back]
    .map(each => luminance(colour(each, theme)))
    .sort((one, other) => other - one) as [number, number];
  expect((lighter + 0.05) / (darker + 0.05)).toBeGreaterThanOrEqual(least);
});

function colour(name: string, theme: (typeof themes)[number]): string {
  const [, light, dark] = new RegExp(`--${name}: light-dark\\(#(\\w{6}), #(\\w{6})\\)`).exec(styles) ?? [];
  return (theme === 'light' ? light : dark) as string;
}

function luminance(hex: string): number {
  const [red, green, blue] = [0, 2, 4].map(at => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
