import { randomUUID } from 'node:crypto';

export type Credentials = { clientId: string; clientSecret: string };
type TokenAnswer = { status: number; body: object };

/** What TIDAL's tokens are good for, in seconds. */
const lifetime = 86_400;

export type Tokens = {
  /** Answers a form-encoded request for a token. */
  issue(form: URLSearchParams): TokenAnswer;
  /** Whether an `Authorization` header carries a token that was issued here and has not run out. */
  accepts(authorization: string | undefined): boolean;
};

/** Tokens die with the process, so that a client meets a 401 when the stand-in was started anew. */
export function tokensFor(credentials: Credentials): Tokens {
  const expiries = new Map<string, number>();
  return {
    issue(form) {
      const clientId = form.get('client_id');
      if (form.get('grant_type') !== 'client_credentials') {
        return refusal(400, 'unsupported_grant_type', 1002, 'Only client_credentials is offered here');
      }
      if (clientId !== credentials.clientId || form.get('client_secret') !== credentials.clientSecret) {
        return refusal(401, 'invalid_client', 1005, `Client with token ${clientId ?? ''} not found`);
      }
      const token = randomUUID();
      expiries.set(token, Date.now() + lifetime * 1000);
      const body = { access_token: token, token_type: 'Bearer', expires_in: lifetime, scope: '' };
      return { status: 200, body };
    },
    accepts(authorization) {
      const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '';
      return Date.now() < (expiries.get(token) ?? 0);
    },
  };
}

function refusal(status: number, error: string, subStatus: number, description: string): TokenAnswer {
  return { status, body: { status, error, sub_status: subStatus, error_description: description } };
}
