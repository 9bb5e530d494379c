import { type Span, SpanKind } from '@opentelemetry/api';
import { isTraced, markFailed, names, tracer } from '@segue/telemetry/spans.ts';
import type { Queryable } from './connection.ts';

/** What the driver's queries have beyond their types: `handle` is called when somebody waits for the answer. */
type Query = Promise<unknown> & {
  strings: readonly string[];
  /** The whole text, with `$1` for what is given; there once it was sent. */
  string?: string;
  executed: boolean;
  handle(): Promise<void>;
};

type Method = (...given: unknown[]) => unknown;

/**
 * The same connection, with a span for each statement that is run within a trace, in transactions, too. The spans have
 * the text of the statement, never its parameters.
 */
export function traceStatements<Connection extends Queryable>(sql: Connection): Connection {
  return new Proxy(sql, {
    apply: (target, self, given) => traced(Reflect.apply(target as unknown as Method, self, given)),
    get(target, property) {
      const value = Reflect.get(target, property) as Method;
      if (property === 'unsafe') return (...given: unknown[]) => traced(Reflect.apply(value, target, given));
      if (property !== 'begin' && property !== 'savepoint') return value;
      return (...given: unknown[]) => {
        const work = given.pop() as (transaction: Queryable) => unknown;
        const tracedWork = (transaction: Queryable) => work(traceStatements(transaction));
        return Reflect.apply(value, target, [...given, tracedWork]);
      };
    },
  });
}

/** A part of another statement is never run itself, and makes no span. */
function traced(made: unknown): unknown {
  if (!isQuery(made)) return made;
  const { handle } = made;
  made.handle = () => {
    if (!made.executed && isTraced()) followWithSpan(made);
    return handle.call(made);
  };
  return made;
}

function isQuery(made: unknown): made is Query {
  return made instanceof Promise && 'handle' in made;
}

function followWithSpan(query: Query): void {
  const attributes = { [names.databaseSystem]: 'postgresql' };
  const span = tracer.startSpan('statement', { kind: SpanKind.CLIENT, attributes });
  // The query's own `then` would run it.
  Promise.prototype.then.call(
    query,
    () => end(span, query),
    (error: unknown) => {
      markFailed(span, error);
      end(span, query);
    },
  );
}

function end(span: Span, query: Query): void {
  const text = query.string ?? query.strings.join('…');
  span.updateName(summaryOf(text));
  span.setAttribute(names.databaseQuery, text);
  span.end();
}

/** What a statement does, in short: `INSERT library_tracks`, `SELECT ingestion_outbox`. */
export function summaryOf(text: string): string {
  const changed = /\b(INSERT INTO|(?<!\b(?:FOR|KEY|DO)\s)UPDATE|DELETE FROM)\s+"?(\w+)/i.exec(text);
  if (changed) return `${changed[1]?.split(' ')[0]?.toUpperCase()} ${changed[2]}`;
  const read = /\bFROM\s+"?(\w+)/i.exec(text);
  if (read) return `SELECT ${read[1]}`;
  return /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'statement';
}
