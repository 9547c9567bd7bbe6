import type { Express, Request, RequestHandler, Response } from 'express';
import { addressKey } from '../http/index.js';
import { type Clock, toRfc3339 } from '../kernel/clock.js';
import { GatewayError, notFound } from '../kernel/errors.js';
import { isId } from '../kernel/ids.js';
import type { ControlStore } from '../store/index.js';
import { createAttempts } from './attempts.js';
import { writeAudit } from './audit.js';
import type { createFindLines } from './find-lines.js';
import type { Lines } from './lines.js';
import type { Live } from './live.js';
import type { Passwords } from './passwords.js';
import { originOf, readBody, searchBody, signInBody } from './request.js';
import { isRole } from './roles.js';
import { portalOrigins, requireSameOrigin } from './same-origin.js';
import type { Sessions, SignedIn } from './sessions.js';
import { showLineSummary } from './show-line.js';
import { emailKey } from './users.js';

export interface RouteOptions {
  control: ControlStore;
  clock: Clock;
  publicUrl: string;
  environment: 'sandbox' | 'production';
  passwords: Passwords;
  sessions: Sessions;
  lines: Lines;
  findLines: ReturnType<typeof createFindLines>;
  live: Live;
}

const QUARTER_HOUR_MS = 900_000;
const MINUTE_MS = 60_000;
const TOO_OFTEN = 'Too many attempts to sign in.';

/** The one answer to a wrong e-mail, a wrong password and an account that is closed. */
const refused = (environment: string): GatewayError =>
  new GatewayError('UNAUTHENTICATED', {
    detail: 'The e-mail or the password is not right.',
    ...(environment === 'sandbox' && { hint: 'Both are in sandbox-credentials.json, under "portal".' }),
    headers: { 'WWW-Authenticate': 'Cookie realm="causeway portal"' },
  });

/** The portal's own API under `/admin/v1`. Failures go to the edge's problem writer, like everybody's. */
export function mountRoutes(app: Express, options: RouteOptions): void {
  const { control, clock, sessions, passwords, lines, live } = options;
  const origins = portalOrigins(options.publicUrl);
  const byAddress = createAttempts(clock, { max: 30, windowMs: QUARTER_HOUR_MS, detail: TOO_OFTEN });
  const byAccount = createAttempts(clock, { max: 10, windowMs: QUARTER_HOUR_MS, detail: TOO_OFTEN });
  const searches = createAttempts(clock, { max: 120, windowMs: MINUTE_MS, detail: 'More than 120 searches in a minute.' });
  const reveals = createAttempts(clock, { max: 30, windowMs: MINUTE_MS, detail: 'More than 30 reveals in a minute.' });

  type Method = 'get' | 'post' | 'delete';
  type Handle = (request: Request, response: Response) => Promise<unknown>;
  /** `operation` names the request in log and metrics. What is answered goes out as JSON that nobody keeps. */
  function route(method: Method, path: string, operation: string, handle: Handle): void {
    const run: RequestHandler = async (request, response) => {
      response.locals['operationId'] = `admin.${operation}`;
      response.set('Cache-Control', 'no-store');
      if (method !== 'get') requireSameOrigin(request, origins);
      const body = await handle(request, response);
      if (!response.headersSent) response.json(body);
    };
    app[method](`/admin/v1${path}`, run);
  }
  type SignedInHandle = (person: SignedIn, request: Request, response: Response) => Promise<unknown>;
  const signedIn = (method: Method, path: string, operation: string, handle: SignedInHandle): void =>
    route(method, path, operation, async (request, response) => handle(await sessions.of(request), request, response));

  const lineId = (request: Request): string => {
    const id = String(request.params['id']);
    if (!isId('sub', id)) throw notFound('subscription');
    return id;
  };
  const showPerson = ({ email, role, partnerId, idleAt, expiresAt }: Omit<SignedIn, 'tokenHash' | 'markets'>) => ({
    ...{ email, role, environment: options.environment },
    ...(partnerId !== undefined && { partnerId }),
    idleAt: toRfc3339(idleAt),
    expiresAt: toRfc3339(expiresAt),
  });

  route('post', '/session', 'signIn', async (request, response) => {
    const { email, password } = await readBody(request, signInBody);
    const from = originOf(request, response);
    // Both count before the work, so that guesses at the same instant count too; a right one is taken back.
    const takeBack = [byAddress.take(addressKey(from.address)), byAccount.take(emailKey(email))];
    const user = await control.read.portalUser.findUnique({ where: { email: emailKey(email) } });
    const isRight = await passwords.matches(user?.passwordHash, password);
    if (!user || !isRight || user.disabledAt !== null || !isRole(user.role)) throw refused(options.environment);
    for (const undo of takeBack) undo();
    const token = await control.transact(async (tx) => {
      const about = { partnerId: user.partnerId ?? undefined, actorId: user.id, action: 'session.started', subject: user.id } as const;
      await writeAudit(tx, clock, { ...about, ...from });
      return sessions.start(tx, user.id);
    });
    response.status(201).set('Set-Cookie', sessions.cookie(token));
    return { email: user.email, role: user.role };
  });

  signedIn('delete', '/session', 'signOut', async ({ userId, partnerId, tokenHash }, request, response) => {
    await control.transact(async (tx) => {
      const about = { partnerId, actorId: userId, action: 'session.ended', subject: userId } as const;
      await writeAudit(tx, clock, { ...about, ...originOf(request, response) });
      await sessions.end(tx, tokenHash);
    });
    response.status(204).set('Set-Cookie', sessions.cookie()).end();
  });

  signedIn('get', '/me', 'me', async (person) => showPerson(person));

  signedIn('post', '/search', 'search', async (person, request) => {
    searches.take(person.userId);
    const { query } = await readBody(request, searchBody);
    const found = await options.findLines(person, query);
    return { kind: found.kind, items: found.lines.map(showLineSummary) };
  });

  signedIn('get', '/subscriptions', 'recentLines', async (person) => ({ items: await lines.recent(person) }));
  signedIn('get', '/subscriptions/:id', 'line', async (person, request) => lines.card(person, lineId(request)));
  signedIn('get', '/subscriptions/:id/timeline', 'timeline', async (person, request) => {
    const { after } = request.query;
    return lines.timeline(person, lineId(request), { limit: 50, ...(typeof after === 'string' && { after }) });
  });
  signedIn('post', '/subscriptions/:id/reveal', 'reveal', async (person, request, response) => {
    reveals.take(person.userId);
    return lines.reveal(person, lineId(request), originOf(request, response));
  });
  route('get', '/subscriptions/:id/live', 'live', async (request, response) => {
    const { tokenHash, ...person } = await sessions.of(request, { touch: false });
    const { id, partnerId } = await lines.get(person, lineId(request));
    live.open(response, { tokenHash, subscriptionId: id, partnerId });
  });
}
