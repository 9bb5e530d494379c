/** Who caused a request, for the log and for traces. Nothing decides by it. */
export type RequestOrigin = {
  /** A UUID: the `x-request-id` of the API's answer. Null where no request of the API's caused it. */
  requestId: string | null;
  /** W3C trace context as it was given, valid or not. */
  traceparent: string | null;
};

/** For what nobody asked for by a request. */
export const noOrigin: RequestOrigin = { requestId: null, traceparent: null };
