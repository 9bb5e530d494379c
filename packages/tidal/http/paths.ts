type Get<Parameters> = {
  get: {
    parameters: Parameters;
    responses: { 200: { content: { 'application/vnd.api+json': unknown } } };
  };
};

/**
 * The four resources of TIDAL's OpenAPI document (1.10) that are used, as openapi-fetch types its calls.
 *
 * Bodies are `unknown`: the document's types do not hold for long, so zod reads what is needed.
 */
export type TidalPaths = {
  '/tracks': Get<{ query: { countryCode: string; 'filter[id]': string[]; include?: string } }>;
  '/tracks/{id}': Get<{ path: { id: string }; query: { countryCode: string; include?: string } }>;
  '/albums/{id}': Get<{ path: { id: string }; query: { countryCode: string; include: string } }>;
  '/albums/{id}/relationships/items': Get<{
    path: { id: string };
    /** With the cursor, under whatever name the previous page's `links.next` has it. */
    query: { countryCode: string; include: string; [cursor: string]: string };
  }>;
};
