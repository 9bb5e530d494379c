import { Refusal } from '../http/refusal.ts';

/** A query is refused as a whole, though it shows only while its fields are resolved. */
export class QueryRefusal extends Refusal {}
