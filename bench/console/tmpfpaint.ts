import { openBrowser } from '@segue/testing/chromium.ts';
const url = process.argv[2]!; const rounds = Number(process.argv[3] ?? 8); const restMs = Number(process.argv[4] ?? 2000);
const median = (v: number[]) => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)];
const browser = await openBrowser();
const found: Record<string, Record<string, number[]>> = {};
for (let time = 0; time <= rounds; time++) for (const path of ['/bare', '/console/', '/console/requests?status=pending', '/console/albums', '/console/recordings/USRC17607839']) {
  const context = await browser.newContext(); const page = await context.newPage();
  await page.goto('about:blank');
  await page.waitForTimeout(restMs);
  await page.goto(url + path);
  const r: any = await page.evaluate(`new Promise(resolve => { const look = () => { const p = performance.getEntriesByName('first-contentful-paint')[0]; if (!p) return requestAnimationFrame(look); const n = performance.getEntriesByType('navigation')[0]; resolve({fcp: p.startTime, firstByte: n.responseStart, end: n.responseEnd, css: Math.max(0,...performance.getEntriesByType('resource').filter(r=>r.name.endsWith('.css')).map(r=>r.responseEnd)), dcl: n.domContentLoadedEventEnd}) }; look(); })`);
  if (time > 0) for (const [k, v] of Object.entries(r)) ((found[path] ??= {})[k] ??= []).push(v as number);
  await context.close();
}
for (const [p, f] of Object.entries(found)) console.log(p.padEnd(36), Object.entries(f).map(([k, v]) => `${k} ${median(v)!.toFixed(0)} (${Math.min(...v).toFixed(0)}–${Math.max(...v).toFixed(0)})`).join('  '));
await browser.close();
