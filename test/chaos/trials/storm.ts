import { isrcOf } from '../workload.ts';
import { fiveSeconds } from './promise.ts';
import type { Trial } from './trial.ts';

/** Thousands of forced requests for one recording, and ordinary additions beside them. */
export const storm: Trial = {
  name: 'storm of forced requests for one recording',
  async hold(scene) {
    const { additions, random, round } = scene;
    const count = random.between(3_000, 8_000);
    const isrc = isrcOf('QZSTM', round);
    const requests = Array.from({ length: count }, (_, number) => {
      return { title: `Storm of round ${round}, ${number}`, isrc, force: true };
    });
    const [, late] = await Promise.all([
      additions.insert(requests),
      fiveSeconds(scene, 'storm', { count: 20, everyMs: 100 }),
    ]);
    return late;
  },
};
