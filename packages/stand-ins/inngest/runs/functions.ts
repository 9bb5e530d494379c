import type { InboundEvent } from '../inboundEvent.ts';

/** A function as an app has registered it. */
export type RegisteredFunction = {
  /** `{app}-{function}` */
  id: string;
  /** Where it is called, `fnId` in the query. */
  url: string;
  triggers: { event: string; expression?: string }[];
  /** Attempts of a step beyond the first. */
  retries: number;
  /** Requests at the same time; 0 for any number. */
  concurrency: number;
  /** CEL; see {@link priorityOf}. */
  priority?: string;
};

/** The server's default: four attempts. */
const defaultRetries = 3;

/**
 * Reads what `POST /fn/register` brings (`sdk.RegisterRequest`).
 *
 * @throws Error saying what is missing
 */
export function readRegistration(raw: unknown): { app: string; functions: RegisteredFunction[] } {
  const { appName, functions } = (raw ?? {}) as { appName?: unknown; functions?: unknown };
  if (typeof appName !== 'string' || appName === '') throw new Error('App ID required');
  if (!Array.isArray(functions)) throw new Error('No functions registered within your app');
  return { app: appName, functions: functions.map(readFunction) };
}

type Config = {
  id?: unknown;
  triggers?: { event?: string; expression?: string }[];
  steps?: Record<string, { runtime?: { url?: string }; retries?: { attempts?: number } }>;
  concurrency?: unknown;
  priority?: { run?: string };
};

function readFunction(raw: Config): RegisteredFunction {
  const [step] = Object.values(raw.steps ?? {});
  const url = step?.runtime?.url;
  if (typeof raw.id !== 'string' || url === undefined) throw new Error('Invalid function configuration');
  return {
    id: raw.id,
    url,
    triggers: (raw.triggers ?? []).flatMap(({ event, expression }) =>
      event === undefined ? [] : { event, ...(expression !== undefined && { expression }) },
    ),
    retries: step?.retries?.attempts ?? defaultRetries,
    concurrency: readConcurrency(raw.concurrency),
    ...(raw.priority?.run !== undefined && { priority: raw.priority.run }),
  };
}

/** A number, `{limit}`, or a list of them, of which the smallest counts; keys are not looked at. */
function readConcurrency(raw: unknown): number {
  if (typeof raw === 'number') return raw;
  const limits = [raw].flat().flatMap(option => (option as { limit?: number } | undefined)?.limit ?? []);
  return limits.length === 0 ? 0 : Math.min(...limits);
}

/**
 * Whether an event starts the function. Of expressions only `event.data.<field> == '<text>'` is understood, by which
 * a function hears of its own failures.
 */
export function isTriggeredBy({ triggers }: RegisteredFunction, event: InboundEvent): boolean {
  return triggers.some(trigger => {
    if (trigger.event !== event.name) return false;
    if (trigger.expression === undefined) return true;
    const [, field = '', text] = /^event\.data\.(\w+) == '([^']*)'$/.exec(trigger.expression) ?? [];
    return event.data?.[field] === text;
  });
}

/**
 * How many seconds the run moves ahead of those before it, or waits. Only `int(event.data.<field>)` is understood:
 * a number of JSON is a float in CEL, of which the server makes 0 without a word.
 */
export function priorityOf({ priority }: RegisteredFunction, event: InboundEvent): number {
  const [, field] = /^int\(event\.data\.(\w+)\)$/.exec(priority ?? '') ?? [];
  const value = field === undefined ? 0 : event.data?.[field];
  return typeof value === 'number' ? Math.min(Math.max(Math.trunc(value), -600), 600) : 0;
}
