import type { AfterCommit, ControlTransaction } from '../store/index.js';

/** Who calls the partner API, as its access token says. */
export interface Caller {
  partnerId: string;
  clientId: string;
  scopes: ReadonlySet<string>;
  /** The markets that the token covers; undefined = all of the partner's. */
  markets: readonly string[] | undefined;
}

/** Which device calls the messaging API, as its device token says. */
export interface DeviceCaller {
  accountId: string;
  deviceId: string;
}

/** A request that has passed the contract: types are coerced, defaults filled in, unknown members refused. */
export interface ApiRequest<Who = Caller> {
  caller: Who;
  /** The `x-correlator` given or made; it goes into events, rows and logs. */
  correlator: string;
  /** The client's address, for rate limits only. */
  remoteAddress: string;
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string | number | boolean | undefined>>;
  body: unknown;
  header(name: string): string | undefined;
}

export interface Answer {
  status: number;
  /** Sent as JSON unless it is a string with a `content-type` header of its own. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** Answers without a stored idempotency row: reads, and writes that are idempotent by themselves. */
export interface PlainRoute<Who = Caller> {
  handle(request: ApiRequest<Who>): Promise<Answer>;
}

/**
 * A POST that acts once per Idempotency-Key. `act` runs inside the transaction that also stores the key and the answer,
 * so that effect and key commit together. `after` runs once the commit is durable and before the answer goes out; it
 * must be idempotent, since a replayed request runs it again.
 */
export interface OnceRoute {
  act(request: ApiRequest, tx: ControlTransaction, hints: AfterCommit): Promise<Answer>;
  after?(request: ApiRequest, answer: Answer): Promise<void>;
}

/** Routes by the contract's operationId. */
export type PartnerRoutes = Record<string, PlainRoute | OnceRoute>;
export type DeviceRoutes = Record<string, PlainRoute<DeviceCaller>>;
export type PublicRoutes = Record<string, PlainRoute<undefined>>;
