/* global uPlot */
// Draws what the relays did, minute by minute.

const holders = [...document.querySelectorAll('[data-chart]')];
const style = getComputedStyle(document.body);
const scheme = matchMedia('(prefers-color-scheme: dark)');
let charts = [];
let asked = 0;

/** `light-dark()` is resolved where it is used, so that an element has to use it. */
function colour(name) {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

// Lines differ in colour and in dashes.
const lines = {
  requested: { label: 'requested', colour: 'muted', dash: [2, 3], unit: '' },
  scheduled: { label: 'scheduled', colour: 'accent', dash: [], unit: '' },
  skipped: { label: 'skipped', colour: 'warning', dash: [7, 4], unit: '' },
  dead: { label: 'dead', colour: 'failure', dash: [1, 4], unit: '' },
  lagMedian: { label: 'median', colour: 'accent', dash: [], unit: ' s' },
  lagHigh: { label: '95 % within', colour: 'warning', dash: [7, 4], unit: ' s' },
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
      legend: { live: true },
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
          value: (_plot, value) => (value === null || value === undefined ? '–' : moment(value, 60)),
        },
        ...names.map(name => ({
          label: lines[name].label,
          stroke: colour(lines[name].colour),
          width: 1.75,
          dash: lines[name].dash,
          points: { show: false },
          spanGaps: false,
          value: (_plot, value) =>
            value === null || value === undefined ? '–' : `${value.toLocaleString('en')}${lines[name].unit}`,
        })),
      ],
    };
    return new uPlot(options, [data.minute, ...names.map(name => data[name])], holder);
  });
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

async function load() {
  const answer = await fetch(holders[0].dataset.from).catch(() => null);
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
load();
