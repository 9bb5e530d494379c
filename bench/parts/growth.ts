import type { Bench, Part, PartResult } from '../bench.ts';
import { measureHeldTransaction } from './growth/heldTransaction.ts';
import { measureLongHistory } from './growth/longHistory.ts';

/** Whether it stays fast with ten million rows behind it, and while nothing can be vacuumed. */
export const growth: Part = { name: 'growth', title: 'Growth', run };

async function run(bench: Bench): Promise<PartResult> {
  const held = await measureHeldTransaction(bench);
  const history = await measureLongHistory(bench);
  return {
    tables: [...history.tables, ...held.tables],
    goals: [...history.goals, ...held.goals],
    figures: { history: history.figures, heldTransaction: held.figures },
    plots: { ...history.plots },
  };
}
