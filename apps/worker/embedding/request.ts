import { reasonOf } from '@segue/process/reason.ts';
import { endAfter } from '@segue/process/timeLimit.ts';
import { inClientSpan, names } from '@segue/telemetry/spans.ts';
import { EmbeddingError, type EmbeddingProblem } from './embeddingError.ts';

export type ServiceOptions = {
  /** Base address of the service, or of the endpoint itself. */
  url: string;
  model?: string | undefined;
  apiKey?: string | undefined;
  timeoutMs: number;
};

/** More of an answer than that is no explanation. */
const mostOfAnswer = 300;

/**
 * Posts JSON to an embedding service.
 *
 * @returns the answer's JSON
 * @throws EmbeddingError; its message never has the key in it
 */
export async function postForEmbedding(url: string, body: object, options: ServiceOptions): Promise<unknown> {
  const { apiKey, timeoutMs } = options;
  const headers = {
    'content-type': 'application/json',
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  };
  const where = new URL(url).host;
  let answer: { response: Response; text: string };
  try {
    answer = await inClientSpan('embed', { [names.serverAddress]: where }, span =>
      endAfter(timeoutMs, async signal => {
        const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
        span.setAttribute(names.httpStatus, response.status);
        return { response, text: await response.text() };
      }),
    );
  } catch (error) {
    throw new EmbeddingError('unavailable', `${where}: ${reasonOf(error)}`, { cause: error });
  }
  const { response, text } = answer;
  if (!response.ok) throw refusalOf(response, text, where, apiKey);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EmbeddingError('unavailable', `${where} answered ${response.status} with no JSON`, { cause });
  }
}

function refusalOf(
  response: Response,
  text: string,
  where: string,
  apiKey: string | undefined,
): EmbeddingError {
  const { status, headers } = response;
  // What a service says of a key may repeat it.
  const explained =
    status === 401 || status === 403 ? 'EMBEDDING_API_KEY is not accepted' : explanationIn(text);
  const message = `${where} answered ${status}: ${withoutKey(explained, apiKey)}`;
  const problem = problemOf(status, text);
  const retryAfterMs = problem === 'rate_limit' ? readRetryAfter(headers) : undefined;
  return new EmbeddingError(problem, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** 413 and 422: too long, or too many; see `embedInBatches`. */
function problemOf(status: number, text: string): EmbeddingProblem {
  if (status === 400 || status === 413 || status === 422) return 'input';
  if (status !== 429) return 'unavailable';
  // OpenAI names both with the same status.
  return /"insufficient_quota"/.test(text) ? 'quota' : 'rate_limit';
}

/** Milliseconds by OpenAI, or seconds, or a moment. */
function readRetryAfter(headers: Headers): number | undefined {
  const ms = headers.get('retry-after-ms');
  const after = headers.get('retry-after');
  const value =
    ms !== null
      ? Number(ms)
      : after === null
        ? Number.NaN
        : Number(after) * 1_000 || Date.parse(after) - Date.now();
  return Number.isNaN(value) ? undefined : Math.max(0, value);
}

/** The `error` of TEI and Ollama, the `error.message` of OpenAI, or the beginning of whatever it is. */
function explanationIn(text: string): string {
  let explanation = text;
  try {
    const { error } = JSON.parse(text) as { error?: string | { message?: string } };
    explanation = (typeof error === 'string' ? error : error?.message) ?? text;
  } catch {
    // No JSON, a page of a proxy say.
  }
  return explanation.replace(/\s+/g, ' ').trim().slice(0, mostOfAnswer) || 'nothing more';
}

function withoutKey(text: string, apiKey: string | undefined): string {
  return apiKey ? text.replaceAll(apiKey, '***') : text;
}
