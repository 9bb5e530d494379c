import { logLevel, port } from '@segue/process/environment.ts';
import { z } from 'zod';

/** What a stand-in in a container reads. */
export const schema = z.object({
  STAND_IN_HOST: z.string().default('0.0.0.0'),
  /** Unset: the port on which containers ask for what it stands in for. */
  STAND_IN_PORT: port(0).removeDefault().optional(),
  STAND_IN_FOLDER: z.string().default('/data'),
  // TIDAL was observed to answer two requests at once, and then one in 5 s.
  STAND_IN_TIDAL_LIMITS: z.enum(['none', 'observed'], { error: 'must be none or observed' }).default('none'),
  TIDAL_CLIENT_ID: z.string().optional(),
  TIDAL_API_URL: z.string().optional(),
  LOG_LEVEL: logLevel,
});
