import type { Contract } from '../../src/http/contract.js';
import { createAnswerCheck } from '../contract/answers.js';

export interface ApiAnswer<Body = unknown> {
  status: number;
  headers: Headers;
  /** Parsed when it is JSON, else the text; undefined when there is none. */
  body: Body;
  text: string;
}

export interface CallOptions {
  token?: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is; name its type in `headers`. */
  rawBody?: string | Uint8Array;
  headers?: Record<string, string>;
  /** Adds an Idempotency-Key: the one given, or with `true` a fresh one. */
  idempotencyKey?: string | true;
}

export interface ApiClient {
  /** Any request. Throws when the answer is not one that the contract declares. */
  call<Body = Json>(method: string, path: string, options?: CallOptions): Promise<ApiAnswer<Body>>;
  get<Body = Json>(path: string, options?: CallOptions): Promise<ApiAnswer<Body>>;
  /** A POST with a fresh Idempotency-Key unless one is given. */
  post<Body = Json>(path: string, body: unknown, options?: CallOptions): Promise<ApiAnswer<Body>>;
  /** The same client with this token on every call. */
  as(token: string): ApiClient;
  /** A token by client credentials with a secret. */
  token(clientId: string, clientSecret: string, scope?: string): Promise<string>;
}

/** What tests read answers as. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads members that the contract check has already vouched for.
export type Json = any;

/** A client that holds every answer it gets against the contract, on the wire bytes. */
export function createApiClient({ url, contract, token }: { url: string; contract: Contract; token?: string }): ApiClient {
  const check = createAnswerCheck(contract);
  return clientWith(token);

  function clientWith(standing: string | undefined): ApiClient {
    const call: ApiClient['call'] = async (method, path, options = {}) => {
      const bearer = options.token ?? standing;
      const key = options.idempotencyKey === true ? crypto.randomUUID() : options.idempotencyKey;
      const payload = options.rawBody ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
      const headers: Record<string, string> = {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...options.headers,
      };
      const response = await fetch(new URL(path, url), {
        method,
        headers,
        ...(payload === undefined ? {} : { body: payload }),
        redirect: 'manual',
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      check({ method, path: new URL(path, url).pathname, status: response.status, headers: response.headers, bytes });
      const text = bytes.toString('utf8');
      const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
      const body: Json = text === '' ? undefined : isJson ? JSON.parse(text) : text;
      return { status: response.status, headers: response.headers, body, text };
    };
    return {
      call,
      get: (path, options) => call('GET', path, options),
      post: (path, body, options) => call('POST', path, { idempotencyKey: true, ...options, body }),
      as: (next) => clientWith(next),
      async token(clientId, clientSecret, scope) {
        const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
        const encoded = [clientId, clientSecret].map(encodeURIComponent).join(':');
        const answer = await call('POST', '/oauth2/token', {
          rawBody: form.toString(),
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            authorization: `Basic ${Buffer.from(encoded).toString('base64')}`,
          },
        });
        if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text}`);
        return String(answer.body.access_token);
      },
    };
  }
}
