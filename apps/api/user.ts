import type { FastifyRequest } from 'fastify';

/** Whose library it is as long as nobody has to say who they are. */
const localUser = 'local';

/** The one place that says on whose behalf a request is made. */
export function userOf(_request: FastifyRequest): string {
  return localUser;
}
