import type { Action, Selection } from '@segue/outbox/operate/act.ts';
import { type FormFilter, filterParameters, outboxFilter, readFilter } from '../pages/requestFilter.ts';
import { choice, field, fields } from '../pages/requestValues.ts';

export const actionKinds = ['requeue', 'discard', 'reschedule'] as const;
export type ActionKind = (typeof actionKinds)[number];

/** From now, in ms. */
export const delays = { now: 0, '5m': 300_000, '1h': 3_600_000, '6h': 21_600_000, '1d': 86_400_000 } as const;
export type Delay = keyof typeof delays;

/** What a person has asked for, as an address or a form has it. */
export type Asked = {
  kind: ActionKind;
  /** Empty: all that match the filter. */
  ids: number[];
  filter: FormFilter;
  /** What ages are counted from (ms), so that what is confirmed is what was counted. */
  at: number;
  force: boolean;
  delay: Delay;
};

/** As many as a page shows, and some. */
const mostIds = 200;

/** @returns null where no action is named, or no request */
export function readAsked(values: unknown, now = Date.now()): Asked | null {
  const kind = choice(values, 'action', actionKinds);
  const isAll = field(values, 'scope') === 'all';
  const ids = isAll
    ? []
    : fields(values, 'id', mostIds)
        .filter(id => /^[1-9]\d{0,15}$/.test(id))
        .map(Number);
  if (kind === undefined || (!isAll && ids.length === 0)) return null;
  const given = Number(field(values, 'at'));
  // An hour is as long as anybody thinks about it.
  const at = Number.isInteger(given) && given <= now && given > now - 3_600_000 ? given : now;
  return {
    kind,
    ids: [...new Set(ids)].filter(Number.isSafeInteger),
    filter: isAll ? readFilter(values) : {},
    at,
    force: field(values, 'force') === 'yes',
    delay: choice(values, 'delay', Object.keys(delays) as Delay[]) ?? 'now',
  };
}

/** The same as fields of a form or an address. */
export function parametersOf({ kind, ids, filter, at }: Asked): [string, string][] {
  return [
    ['action', kind],
    ['scope', ids.length === 0 ? 'all' : 'chosen'],
    ['at', String(at)],
    ...ids.map(id => ['id', String(id)] as [string, string]),
    ...filterParameters(filter),
  ];
}

export function actionOf({ kind, force, delay }: Asked, now = Date.now()): Action {
  if (kind === 'requeue') return { kind, force: force ? true : undefined };
  if (kind === 'discard') return { kind };
  return { kind, at: delay === 'now' ? 'now' : new Date(now + delays[delay]) };
}

export function selectionOf({ ids, filter, at }: Asked): Selection {
  return ids.length > 0 ? { ids } : { filter: outboxFilter(filter, at) };
}
