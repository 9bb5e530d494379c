/** How much one request may ask for. Each has a variable of its own. */
export type Limits = {
  bodyBytes: number;
  /** Words, numbers, brackets: what the parser reads. */
  queryTokens: number;
  /** Fields within fields. */
  queryDepth: number;
  /** Fields that an answer can have, with all members of its lists. */
  queryComplexity: number;
  /** The same for the listings of albums, with all tracks that they have. The status of a recording counts for five. */
  listingComplexity: number;
  queryAliases: number;
  /** Items of a page at the most. */
  pageSize: number;
  /** Ids of one addition at the most. */
  bulkSize: number;
  /** For a client to send one request, from its first byte to its last, and as much for us to answer it. */
  requestTimeoutMs: number;
  /** For what TIDAL is asked in one addition. What is missing then is completed later. */
  catalogBudgetMs: number;
};

/**
 * What the schema offers needs a depth of 4. A full page of 200 albums with all of their fields has a complexity
 * of 41,400; two such in one query are refused.
 */
export const defaultLimits: Limits = {
  bodyBytes: 100 * 1024,
  queryTokens: 1_000,
  queryDepth: 10,
  queryComplexity: 50_000,
  // A full page of albums of 75 tracks each, with all of their fields, has 330,000.
  listingComplexity: 350_000,
  queryAliases: 30,
  pageSize: 200,
  bulkSize: 100,
  // Three quarters of it are enough to ask TIDAL for most of a bulk of a hundred albums, at 4 requests a second.
  requestTimeoutMs: 40_000,
  catalogBudgetMs: 8_000,
};

/** One who is not kept from it sends 10 a second. An addition or a removal counts as one, in a bulk as well. */
export const defaultMutationsPerMinute = 600;
