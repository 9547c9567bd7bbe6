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
  oauth?: undefined;
  handle(request: ApiRequest<Who>): Promise<Answer>;
}

/**
 * A POST that acts once per Idempotency-Key. `act` runs inside the transaction that also stores the key and the answer,
 * so that effect and key commit together. `after` runs once the commit is durable and before the answer goes out; it
 * must be idempotent, since a replayed request runs it again.
 */
export interface OnceRoute {
  /**
   * What must be asked of the outside before the transaction, which does no I/O: whether a name resolves, for instance.
   * It runs only where nothing is stored for the key, and a refusal that it throws is not stored.
   */
  prepare?(request: ApiRequest): Promise<void>;
  /** The answer holds a secret: its stored body is wrapped (KeyWrap), and a replay unwraps it. */
  sealedReplay?: true;
  act(request: ApiRequest, tx: ControlTransaction, hints: AfterCommit): Promise<Answer>;
  after?(request: ApiRequest, answer: Answer): Promise<void>;
}

/** A request whose body the edge has not looked at. */
export interface RawRequest extends ApiRequest<undefined> {
  /** @throws GatewayError `PAYLOAD_TOO_LARGE` or `UNSUPPORTED_MEDIA_TYPE` (compressed). */
  readBody(): Promise<Buffer>;
}

/**
 * The token endpoint: it reads its own form and answers its own errors, since RFC 6749 §5.2 prescribes their shape.
 * The edge's refusals (rate limit, size) are written in that form too.
 */
export interface OAuthRoute {
  oauth: true;
  handle(request: RawRequest): Promise<Answer>;
}

/** Routes by the contract's operationId. */
export type PartnerRoutes = Record<string, PlainRoute | OnceRoute>;
export type DeviceRoutes = Record<string, PlainRoute<DeviceCaller>>;
export type PublicRoutes = Record<string, PlainRoute<undefined> | OAuthRoute>;
