type Tick = { at: number; label: string };

/** One line: where it goes, from left to right. */
type Series = { name: string; points: { x: number; y: number }[] };

export type LinePlot = {
  title: string;
  /** Its ticks are given, so that the axis can be of any kind: sizes side by side, or powers of ten. */
  x: { label: string; ticks: Tick[] };
  /** From 0 to at least `upTo`. */
  y: { label: string; upTo?: number };
  /** At most four. */
  series: Series[];
};

const width = 720;
const height = 400;
const area = { left: 72, right: width - 40, top: 72, bottom: height - 56 };

/** Okabe and Ito's colours, told apart by everyone, those of them that show on white and on black alike. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];

/**
 * Draws lines over an axis that starts at 0, as an SVG that reads in light and in dark: no background, and the
 * text in a colour that follows the reader's scheme.
 *
 * @throws RangeError for more lines than there are colours
 */
export function linePlot({ title, x, y, series }: LinePlot): string {
  if (series.length > colours.length)
    throw new RangeError(`at most ${colours.length} lines can be told apart`);
  const points = series.flatMap(line => line.points);
  const xValues = [...points.map(point => point.x), ...x.ticks.map(tick => tick.at)];
  const xScale = scale([Math.min(...xValues), Math.max(...xValues)], [area.left, area.right]);
  const yTicks = evenTicks(Math.max(y.upTo ?? 0, ...points.map(point => point.y)));
  const yScale = scale([0, yTicks.at(-1) as number], [area.bottom, area.top]);

  const grid = yTicks.map(at => `<line class="grid" ${span(area.left, area.right, yScale(at))}/>`);
  const yLabels = yTicks.map(at => text(area.left - 8, yScale(at) + 4, 'end', label(at)));
  const xLabels = x.ticks.map(tick => text(xScale(tick.at), area.bottom + 20, 'middle', tick.label));
  const axes = [
    text(area.left, area.top - 12, 'start', y.label),
    text((area.left + area.right) / 2, height - 12, 'middle', x.label),
  ];
  const lines = series.map((line, index) => {
    const path = line.points.map(point => `${round(xScale(point.x))},${round(yScale(point.y))}`).join(' ');
    return `<polyline points="${path}" stroke="${colours[index]}"/>`;
  });
  const legend = series.map((line, index) => {
    const left = area.right - (series.length - index) * 150;
    const sample = `<line ${span(left, left + 20, 40)} stroke="${colours[index]}" stroke-width="3"/>`;
    return sample + text(left + 28, 44, 'start', line.name);
  });

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .grid { stroke: #8886 }
  polyline { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>
<text class="title" x="${area.left}" y="24">${escaped(title)}</text>
${[...legend, ...grid, ...yLabels, ...xLabels, ...axes, ...lines].join('\n')}
</svg>
`;
}

type Scale = (value: number) => number;

function scale([from, to]: [number, number], [start, end]: [number, number]): Scale {
  return value => start + ((value - from) / (to - from || 1)) * (end - start);
}

/** From 0 up to at least the value, in four to ten steps of 1, 2 or 5 times a power of ten. */
export function evenTicks(upTo: number): number[] {
  if (upTo <= 0) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(upTo / 4));
  const step = [5, 2, 1].map(factor => factor * power).find(candidate => upTo / candidate >= 4) ?? power;
  const count = Math.ceil(upTo / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

function label(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 6 });
}

function span(from: number, to: number, at: number): string {
  return `x1="${round(from)}" x2="${round(to)}" y1="${round(at)}" y2="${round(at)}"`;
}

function text(x: number, y: number, anchor: 'start' | 'middle' | 'end', content: string): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
