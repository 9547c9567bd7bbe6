import type { SdkClock } from './clock.js';
import { MessagingError, parseJsonObject, toMessagingError } from './problem.js';
import type { Call } from './wire.js';

/** A token is renewed when it has less than this left, so that a call on its way does not outlive it. */
const RENEW_BEFORE_EXPIRY_MS = 60_000;

export interface DeviceLogin {
  deviceId: string;
  deviceSecret: string;
}

interface IssuedToken {
  accessToken: string;
  expiresInSeconds: number;
}

export interface Http {
  /** A call with the device's bearer token; a 401 renews the token and tries once more. */
  call: Call;
  /** A call without a bearer (registration, token). */
  callOpen: Call;
  login(device: DeviceLogin, issued?: IssuedToken): void;
  /** A token with at least a minute left, fetched when needed; callers at the same time share one fetch. */
  accessToken(): Promise<string>;
  /** Makes the next call fetch a token, after the gateway refused the present one. */
  forgetToken(): void;
}

/**
 * The REST client of the messaging API.
 *
 * @param given.url the gateway's public URL without `/messaging/v1`.
 * @param given.timeoutMs how long one call may take (default 15 s); past it the call rejects with `CLIENT.TIMEOUT`.
 */
export function createHttp(given: { url: string; clock: SdkClock; fetch?: typeof fetch; timeoutMs?: number }): Http {
  const { clock, timeoutMs = 15_000 } = given;
  const fetchIt = given.fetch ?? fetch;
  const base = `${given.url.replace(/\/+$/, '')}/messaging/v1`;
  let device: DeviceLogin | undefined;
  let token: { value: string; expiresAt: number } | undefined;
  let renewing: Promise<string> | undefined;

  async function exchange<T>(verb: string, path: string, body: unknown, bearer?: string): Promise<T> {
    const abort = new AbortController();
    const timer = clock.setTimer(timeoutMs, () => abort.abort());
    try {
      const response = await fetchIt(base + path, {
        method: verb,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: abort.signal,
      });
      const answer = parseJsonObject(await response.text());
      if (!response.ok) throw toMessagingError(response.status, answer, response.headers.get('retry-after'));
      return (answer ?? {}) as T;
    } catch (error) {
      if (error instanceof MessagingError) throw error;
      if (abort.signal.aborted) throw new MessagingError('CLIENT.TIMEOUT', `No answer within ${timeoutMs} ms.`, { cause: error });
      throw new MessagingError('CLIENT.NETWORK', 'The gateway cannot be reached.', { cause: error });
    } finally {
      timer.cancel();
    }
  }

  function keep(issued: IssuedToken): string {
    token = { value: issued.accessToken, expiresAt: clock.now() + issued.expiresInSeconds * 1_000 };
    return issued.accessToken;
  }

  async function renew(): Promise<string> {
    if (!device) throw new MessagingError('CLIENT.NOT_REGISTERED', 'Register or resume before calling.');
    return keep(await exchange<IssuedToken>('POST', '/token', device));
  }

  async function accessToken(): Promise<string> {
    if (token && token.expiresAt - clock.now() > RENEW_BEFORE_EXPIRY_MS) return token.value;
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  return {
    accessToken,
    forgetToken() {
      token = undefined;
    },
    login(next, issued) {
      device = { deviceId: next.deviceId, deviceSecret: next.deviceSecret };
      token = undefined;
      if (issued) keep(issued);
    },
    callOpen: (verb, path, body) => exchange(verb, path, body),
    async call<T>(verb: string, path: string, body?: unknown): Promise<T> {
      const bearer = await accessToken();
      try {
        return await exchange<T>(verb, path, body, bearer);
      } catch (error) {
        if (!(error instanceof MessagingError) || error.status !== 401) throw error;
        // Another caller may have renewed it meanwhile; only the refused token is thrown away.
        if (token?.value === bearer) token = undefined;
        return exchange<T>(verb, path, body, await accessToken());
      }
    },
  };
}
