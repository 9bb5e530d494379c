import { plannerSettings } from '@segue/outbox/plannerSettings.ts';

/**
 * Session settings of the console. A filter is planned for its very values: what it leaves out is then not looked at row
 * by row, which takes half of the time.
 */
export const consoleSettings = { ...plannerSettings, plan_cache_mode: 'force_custom_plan' };
