/** What the portal's own API answers (src/admin). */
export interface Me {
  email: string;
  role: 'care' | 'admin' | 'platform';
  environment: 'sandbox' | 'production';
  partnerId?: string;
}

export interface LineSummary {
  id: string;
  status: string;
  partnerId: string;
  market: string;
  /** Masked. */
  msisdn: string;
  createdAt: string;
}

export interface Entitlement {
  id: string;
  trafficClass: string;
  status: string;
  cap?: { bytes: number; period: string };
  onExhaust: { action: string; bitsPerSecond?: number };
  startsAt: string;
  endsAt?: string;
  reason?: string;
}

export interface Line extends LineSummary {
  partnerName: string;
  timeZone: string;
  iccid: string;
  imsi?: string;
  plan: { id: string; version: number; name: string };
  orderId: string;
  simId: string;
  authority: string;
  asOf: string;
  lastConfirmedAt?: string;
  activatedAt?: string;
  endedAt?: string;
  entitlements: Entitlement[];
}

export interface Step {
  id: string;
  at: string;
  type: string;
  resourceType: string;
  resourceId: string;
  summary: string;
  facts: { name: string; value: string }[];
  price?: { amountMinor: number; currency: string };
}

export interface StepPage {
  items: Step[];
  hasMore: boolean;
  nextCursor: string | null;
}

export interface SearchAnswer {
  kind: 'id' | 'msisdn' | 'iccid' | 'imsi' | 'unknown';
  items: LineSummary[];
}

export interface Revealed {
  msisdn: string;
  iccid: string;
  imsi?: string;
  expiresInMs: number;
}

/** An answer that is no success. `code` is the gateway's, or OFFLINE when there was no answer at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly correlator: string | undefined;
  readonly retryAfterSeconds: number;

  constructor(status: number, problem: { code?: string; detail?: string; correlator?: string }, retryAfterSeconds = 0) {
    super(problem.code ?? 'OFFLINE');
    this.status = status;
    this.code = problem.code ?? 'OFFLINE';
    this.detail = problem.detail ?? '';
    this.correlator = problem.correlator;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

async function call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/admin/v1${path}`, {
      method,
      credentials: 'same-origin',
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, {});
  }
  const parsed: unknown = response.status === 204 ? undefined : await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, parsed ?? {}, Number(response.headers.get('retry-after') ?? 0));
  return parsed as T;
}

const line = (id: string) => `/subscriptions/${encodeURIComponent(id)}`;

export const api = {
  signIn: (email: string, password: string) => call<unknown>('POST', '/session', { email, password }),
  signOut: () => call<undefined>('DELETE', '/session'),
  me: () => call<Me>('GET', '/me'),
  search: (query: string) => call<SearchAnswer>('POST', '/search', { query }),
  recent: () => call<{ items: LineSummary[] }>('GET', '/subscriptions'),
  line: (id: string) => call<Line>('GET', line(id)),
  timeline: (id: string, after: string | null) =>
    call<StepPage>('GET', `${line(id)}/timeline${after === null ? '' : `?after=${encodeURIComponent(after)}`}`),
  reveal: (id: string) => call<Revealed>('POST', `${line(id)}/reveal`),
  liveUrl: (id: string) => `/admin/v1${line(id)}/live`,
};
