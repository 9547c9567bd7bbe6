import { createHash } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import { type FieldError, GatewayError } from '../kernel/errors.js';
import type { KeyWrap } from '../kernel/key-wrap.js';
import type { Log } from '../kernel/log.js';
import { runPeriodically } from '../kernel/periodic.js';
import type { Store } from '../store/index.js';
import type { Answer, ApiRequest, OnceRoute } from './route.js';

/** How long an answer is kept for repeats. */
export const KEEP_MS = 72 * 3_600_000;
const SWEEP_MS = 600_000;
/** Answers that one transaction forgets, so that others wait for it briefly. */
const SWEEP_ROWS = 200;
export const ANSWER_PURPOSE = 'idempotent-answer';
const KEY = /^[!-~]{1,255}$/;

export interface Idempotency extends Closable {
  /**
   * Acts once for this key: effect, key and answer are one commit; a repeat gets the stored answer.
   *
   * @param key undefined where the contract does not demand one: the request then simply acts.
   */
  once(route: OnceRoute, request: ApiRequest, where: { method: string; path: string; key: string | undefined }): Promise<Answer>;
  /** Forgets answers that are older than 72 h. It also does so by itself, every ten minutes. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

interface Scope {
  partnerId: string;
  method: string;
  path: string;
  key: string;
}

/** @throws GatewayError `IDEMPOTENCY.KEY_MISSING`, or `INVALID_ARGUMENT` for a key that is no key. */
export function readIdempotencyKey(given: string | undefined, required: boolean): string | undefined {
  const pointer = '/header/Idempotency-Key';
  if (given === undefined || given === '') {
    if (!required) return undefined;
    throw new GatewayError('IDEMPOTENCY.KEY_MISSING', {
      detail: 'This operation needs an Idempotency-Key header.',
      hint: 'Send a new UUID for each thing you want done, and the same one when you repeat the request.',
      errors: [{ pointer, code: 'required', message: 'is required' }],
    });
  }
  if (KEY.test(given)) return given;
  const fault: FieldError = { pointer, code: 'pattern', message: 'must be 1 to 255 visible ASCII characters' };
  throw new GatewayError('INVALID_ARGUMENT', { detail: `${pointer}: ${fault.message}`, errors: [fault] });
}

/** SHA-256 of the body with the members of each object in order: how a body is written does not make it another one. */
export const fingerprintOf = (body: unknown): string => createHash('sha256').update(canonical(body)).digest('hex');

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Carries a 5xx out of the transaction that it must not commit. */
class NotKept extends Error {
  constructor(readonly answer: Answer) {
    super('an answer of 500 or more is not kept');
  }
}

export interface IdempotencyOptions {
  store: Store['control'];
  clock: Clock;
  /** Stored answers rest wrapped: one may hold a webhook's secret, which is shown once and kept nowhere in the clear. */
  keyWrap: KeyWrap;
  log: Log;
}

export function createIdempotency({ store, clock, keyWrap, log }: IdempotencyOptions): Idempotency {
  /** What runs in this process, by scope, with its fingerprint. Other nodes meet at the key's primary key. */
  const inFlight = new Map<string, string>();
  const sweeps = runPeriodically({ name: 'idempotency', everyMs: SWEEP_MS, clock, log }, async () => {
    const expired = { expiresAt: { lte: new Date(clock.now()) } };
    const select = { partnerId: true, method: true, path: true, key: true };
    const oldest = await store.read.idempotencyKey.findMany({ where: expired, orderBy: { expiresAt: 'asc' }, take: SWEEP_ROWS, select });
    if (oldest.length > 0) await store.transact((tx) => tx.idempotencyKey.deleteMany({ where: { ...expired, OR: oldest } }));
    return oldest.length === SWEEP_ROWS;
  });

  async function stored(scope: Scope, fingerprint: string): Promise<Answer | 'expired' | undefined> {
    const row = await store.read.idempotencyKey.findUnique({ where: { partnerId_method_path_key: scope } });
    if (!row) return undefined;
    if (row.expiresAt.getTime() <= clock.now()) return 'expired';
    if (row.fingerprint !== fingerprint) throw reused();
    const headers = JSON.parse(row.headers) as Record<string, string>;
    const body: unknown = row.body === '' ? undefined : JSON.parse(Buffer.from(keyWrap.unwrap(row.body, ANSWER_PURPOSE)).toString('utf8'));
    return { status: row.status, headers: { ...headers, 'Idempotency-Replayed': 'true' }, ...(body === undefined ? {} : { body }) };
  }

  async function act(route: OnceRoute, request: ApiRequest, scope: Scope, fingerprint: string, expired: boolean): Promise<Answer> {
    const now = clock.now();
    return await store.transact(async (tx, hints) => {
      if (expired) await tx.idempotencyKey.deleteMany({ where: { ...scope, expiresAt: { lte: new Date(now) } } });
      const answer = await route.act(request, tx, hints);
      if (answer.status >= 500) throw new NotKept(answer);
      await tx.idempotencyKey.create({
        data: {
          ...scope,
          fingerprint,
          status: answer.status,
          headers: JSON.stringify(answer.headers ?? {}),
          body: answer.body === undefined ? '' : keyWrap.wrap(Buffer.from(JSON.stringify(answer.body)), ANSWER_PURPOSE),
          createdAt: new Date(now),
          expiresAt: new Date(now + KEEP_MS),
        },
      });
      return answer;
    });
  }

  async function decide(route: OnceRoute, request: ApiRequest, scope: Scope): Promise<Answer> {
    const fingerprint = fingerprintOf(request.body);
    const place = JSON.stringify([scope.partnerId, scope.method, scope.path, scope.key]);
    const running = inFlight.get(place);
    if (running !== undefined) throw running === fingerprint ? stillRunning() : reused();
    inFlight.set(place, fingerprint);
    try {
      const before = await stored(scope, fingerprint);
      if (before !== undefined && before !== 'expired') return before;
      try {
        return await act(route, request, scope, fingerprint, before === 'expired');
      } catch (failure) {
        if (failure instanceof NotKept) return failure.answer;
        // Another node may have committed the same key first. Ours is undone, be it at the key or because what was asked for
        // had just been done, and its answer stands.
        const winner = await stored(scope, fingerprint);
        if (winner !== undefined && winner !== 'expired') return winner;
        throw failure;
      }
    } finally {
      inFlight.delete(place);
    }
  }

  return {
    async once(route, request, { method, path, key }) {
      const answer =
        key === undefined
          ? await store.transact((tx, hints) => route.act(request, tx, hints))
          : await decide(route, request, { partnerId: request.caller.partnerId, method, path, key });
      if (answer.status < 400) await route.after?.(request, answer);
      return answer;
    },
    sweep: () => sweeps.finished(),
    close: () => sweeps.close(),
  };
}

const reused = (): GatewayError =>
  new GatewayError('IDEMPOTENCY.KEY_REUSED', {
    detail: 'This Idempotency-Key came with another body before.',
    hint: 'Take a new key for a new request.',
    errors: [{ pointer: '/header/Idempotency-Key', code: 'reused', message: 'was used with another body' }],
  });

const stillRunning = (): GatewayError =>
  new GatewayError('IDEMPOTENCY.IN_FLIGHT', {
    detail: 'The first request with this Idempotency-Key has not finished yet.',
    hint: 'Repeat the request in a second; it gets the first one’s answer.',
    headers: { 'Retry-After': '1' },
  });
