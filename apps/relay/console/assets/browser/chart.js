/* global uPlot */
// Draws what the relays did, minute by minute.

const { library } = document.currentScript.dataset;
const holders = [...document.querySelectorAll('[data-chart]')];
const style = getComputedStyle(document.body);
const scheme = matchMedia('(prefers-color-scheme: dark)');
let charts = [];
let asked = 0;
let drawing;

/** `light-dark()` is resolved where it is used, so that an element has to use it. */
function colour(name) {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

// Lines differ in colour and in dashes. A dead request among thousands has a point as well.
const lines = {
  requested: { label: 'requested', colour: 'muted', dash: [2, 3], marker: 'dotted', unit: '' },
  scheduled: { label: 'scheduled', colour: 'accent', dash: [], unit: '' },
  skipped: { label: 'skipped', colour: 'warning', dash: [7, 4], marker: 'dashed', unit: '' },
  dead: {
    label: 'dead',
    colour: 'failure',
    dash: [3, 5],
    marker: 'dotted',
    width: 3,
    points: true,
    unit: '',
  },
  lagMedian: { label: 'median', colour: 'accent', dash: [], unit: ' s' },
  lagHigh: { label: '95 % within', colour: 'warning', dash: [7, 4], marker: 'dashed', unit: ' s' },
};

function draw(data) {
  for (const chart of charts) chart.destroy();
  charts = holders.map(holder => {
    const names = holder.dataset.chart.split(' ');
    const isLag = names[0].startsWith('lag');
    const axis = {
      stroke: colour('muted'),
      font: `12px ${style.fontFamily}`,
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
    };
    const options = {
      width: holder.clientWidth,
      height: isLag ? 170 : 220,
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
      legend: {
        live: true,
        markers: { width: 3, dash: (_plot, at) => lines[names[at - 1]]?.marker ?? 'solid' },
      },
      scales: {
        x: { time: true },
        y: { range: (_plot, _low, high) => [0, Math.max(high * 1.1, isLag ? 1 : 5)] },
      },
      // As everywhere in the console.
      tzDate: seconds => uPlot.tzDate(new Date(seconds * 1e3), 'Etc/UTC'),
      axes: [
        {
          ...axis,
          space: 64,
          size: 32,
          values: (_plot, ticks, _axis, _space, step) => ticks.map(tick => moment(tick, step)),
        },
        {
          ...axis,
          size: 56,
          values: (_plot, ticks) => ticks.map(tick => `${short(tick)}${isLag ? ' s' : ''}`),
        },
      ],
      series: [
        {
          label: 'UTC',
          value: (_plot, value) => (value ? moment(value, 60) : ''),
        },
        ...names.map(name => ({
          label: lines[name].label,
          stroke: colour(lines[name].colour),
          width: lines[name].width ?? 1.75,
          dash: lines[name].dash,
          points: lines[name].points ? pointsAbove0(data[name], lines[name].colour) : { show: false },
          spanGaps: false,
          value: (_plot, value, _series, at) => {
            if (at === null || at === undefined) return '';
            return typeof value === 'number' ? `${value.toLocaleString('en')}${lines[name].unit}` : 'none';
          },
        })),
      ],
    };
    return new uPlot(options, [data.minute, ...names.map(name => data[name])], holder);
  });
}

function pointsAbove0(values, name) {
  const filter = () => values.flatMap((value, at) => (value > 0 ? [at] : []));
  return { show: true, size: 9, fill: colour(name), filter };
}

/** `17:05`, or the day where a step is one. */
function moment(seconds, step) {
  const iso = new Date(seconds * 1e3).toISOString();
  return step >= 86_400 || (step > 3_600 && iso.slice(11, 16) === '00:00')
    ? iso.slice(5, 10)
    : iso.slice(11, 16);
}

function short(value) {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1e4 ? `${value / 1e3} k` : value.toLocaleString('en');
}

/** Brings the library once, which takes longer to start than all else that is on the page. */
function bring() {
  drawing ??= new Promise(resolve => {
    const script = document.createElement('script');
    script.src = library;
    script.onload = resolve;
    document.head.append(script);
  });
  return drawing;
}

async function load() {
  const [answer] = await Promise.all([fetch(holders[0].dataset.from).catch(() => null), bring()]);
  if (!answer?.ok) return;
  asked = Date.now();
  const data = await answer.json();
  draw(data);
}

addEventListener('resize', () => {
  for (const [at, chart] of charts.entries()) {
    const { clientWidth: width } = holders[at];
    if (width !== chart.width) chart.setSize({ width, height: chart.height });
  }
});
scheme.addEventListener('change', load);
// The figures are of minutes: asking more often shows nothing new.
document.addEventListener('segue:fresh', () => {
  if (Date.now() - asked > 15_000) load();
});
// After the first paint, which needs no chart.
new PerformanceObserver((_painted, observer) => {
  observer.disconnect();
  load();
}).observe({ type: 'paint', buffered: true });
