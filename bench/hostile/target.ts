/** The API under attack, as one user sees it. */
export type Target = { url: string; token: string };

export type Answer = { status: number; text: string; headers: Headers };

/** A request at `/graphql`; what is not said is as a usual client sends it. */
export type Asked = {
  method?: string;
  /** With its question mark. */
  search?: string;
  headers?: Record<string, string>;
  /** Text is sent as it is. */
  body?: string | object;
};

/** @throws Error when the connection breaks: the API ended it, or ended itself */
export async function send({ url, token }: Target, asked: Asked): Promise<Answer> {
  const { method = 'POST', search = '', headers = {}, body } = asked;
  const response = await fetch(`${url}/graphql${search}`, {
    method,
    headers: {
      'content-type': 'application/json',
      'graphql-require-preflight': '1',
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** One thing that is done to the API, over and over. */
export type Input = {
  /** The number of the point that it is of, and what it is. */
  name: string;
  /** Between two times, in ms. */
  pauseMs?: number;
  /**
   * Does it once.
   *
   * @returns what was wrong with the answer; null when nothing was
   */
  once(): Promise<string | null>;
};

/** An input that is one request with one right answer. */
export function request(name: string, target: Target, asked: Asked, right: Right): Input {
  return { name, once: async () => faultOf(await send(target, asked), right) };
}

/** What a right answer is: its status (or one of several), and what stands in it. */
export type Right = { status: number | number[]; has?: string | RegExp; hasNot?: string | RegExp };

/** @returns what is wrong with an answer; null when nothing is */
function faultOf({ status, text }: Answer, { status: statuses, has, hasNot }: Right): string | null {
  const shown = `${status} ${text.slice(0, 300)}`;
  if (![statuses].flat().includes(status)) return `not ${[statuses].flat().join(' or ')}: ${shown}`;
  if (has !== undefined && !new RegExp(has).test(text)) return `without ${has}: ${shown}`;
  if (hasNot !== undefined && new RegExp(hasNot).test(text)) return `with ${hasNot}: ${shown}`;
  return null;
}
