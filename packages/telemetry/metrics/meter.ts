import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { droppedLogLines } from '../logger.ts';
import {
  declaredMetrics,
  type Exporter,
  type LabelsOf,
  type MetricEntry,
  type MetricOf,
} from './declaredMetrics.ts';

/** The figures of one process, in the format of Prometheus. A metric that is not declared for it does not compile. */
export type Meter<By extends Exporter> = {
  /** Adds to a counter, by default 1. */
  add<Name extends MetricOf<By, 'counter'>>(name: Name, labels: LabelsOf<Name>, amount?: number): void;
  /** Sets a gauge. */
  set<Name extends MetricOf<By, 'gauge'>>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** Counts a value in a histogram, in the unit of its name. */
  observe<Name extends MetricOf<By, 'histogram'>>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /**
   * Reads a gauge or a counter whenever somebody asks for the figures. Undefined: it is left out.
   *
   * @param read looks into memory alone: whoever scrapes waits for it, and an error would take all other figures along
   */
  read<Name extends MetricOf<By, 'gauge' | 'counter'>>(
    name: Name,
    labels: LabelsOf<Name>,
    read: () => number | undefined,
  ): void;
  /** All figures, as text. */
  text(): Promise<string>;
  /** Of the text. */
  readonly contentType: string;
};

/** A timer wakes the process as often. At the usual 10 ms that was a third of what an idle relay takes of a core. */
const loopSampledEveryMs = 50;

/** prom-client's own that are gauges and are named like counters: Prometheus's checks refuse the names. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/**
 * Makes the metrics of a process, with those of Node itself. Counters and histograms begin at 0 for all values of
 * their labels: what appears with its first event has no increase that an alert could see.
 */
export function createMeter<By extends Exporter>(by: By): Meter<By> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: loopSampledEveryMs });
  for (const name of misnamed) registry.removeSingleMetric(name);

  const readings: Readings = new Map();
  const instruments = new Map(
    Object.entries<MetricEntry>(declaredMetrics)
      .filter(([, entry]) => entry.by.includes(by))
      .map(([name, entry]) => [name, createInstrument(registry, name, entry, readings)]),
  );
  const read = (name: string, labels: Record<string, string>, read: () => number | undefined) => {
    readings.set(name, [...(readings.get(name) ?? []), { labels, read }]);
  };
  read('segue_log_lines_dropped_total', {}, droppedLogLines);

  return {
    add: (name, labels, amount) => (instruments.get(name) as Counter).inc(labels, amount),
    set: (name, labels, value) => (instruments.get(name) as Gauge).set(labels, value),
    observe: (name, labels, value) => (instruments.get(name) as Histogram).observe(labels, value),
    read,
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** By the names of metrics. */
type Readings = Map<string, { labels: Record<string, string>; read: () => number | undefined }[]>;

function createInstrument(
  registry: Registry,
  name: string,
  { type, help, labels = {}, buckets }: MetricEntry,
  readings: Readings,
): Counter | Gauge | Histogram {
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  switch (type) {
    case 'counter': {
      const counter = new Counter({
        ...options,
        collect() {
          const found = readings.get(name);
          if (!found) return;
          this.reset();
          for (const { labels, read } of found) this.inc(labels, read() ?? 0);
        },
      });
      for (const values of everyCombination(labels)) counter.inc(values, 0);
      return counter;
    }
    case 'gauge': {
      const gauge = new Gauge({
        ...options,
        collect() {
          const found = readings.get(name);
          if (!found) return;
          forget(this, options.labelNames);
          for (const { labels, read } of found) {
            const value = read();
            if (value !== undefined) this.set(labels, value);
          }
        },
      });
      forget(gauge, options.labelNames);
      return gauge;
    }
    case 'histogram': {
      const histogram = new Histogram({ ...options, buckets: [...(buckets ?? [])] });
      for (const values of everyCombination(labels)) histogram.zero(values);
      return histogram;
    }
  }
}

/** Leaves nothing of a gauge: a 0, which prom-client begins with, would be a figure that nobody has read. */
function forget(gauge: Gauge, labelNames: string[]): void {
  gauge.reset();
  if (labelNames.length === 0) gauge.remove();
}

/** Each way to give every label one of its values. */
function everyCombination(labels: Readonly<Record<string, readonly string[]>>): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (combinations, [label, values]) =>
      combinations.flatMap(combination => values.map(value => ({ ...combination, [label]: value }))),
    [{}],
  );
}
