import { createHash, randomBytes } from 'node:crypto';
import type { Request } from 'express';
import type { Clock } from '../kernel/clock.js';
import { GatewayError } from '../kernel/errors.js';
import type { ControlStore, ControlTransaction } from '../store/index.js';
import { isRole, type Person } from './roles.js';

/** Unused so long, a session is over. */
export const IDLE_MS = 30 * 60_000;
/** However much it is used. */
export const SESSION_MS = 12 * 3_600_000;
/** How exactly the last use is written down. */
const SEEN_EVERY_MS = 60_000;
/** Sessions of one person at once; the oldest makes room. */
const SESSIONS_MAX = 10;

export interface SignedIn extends Person {
  tokenHash: string;
  /** When the session ends if nothing more is done; milliseconds. */
  idleAt: number;
  expiresAt: number;
}

export interface Sessions {
  /** A new session in the caller's transaction, and the value of its cookie. */
  start(tx: ControlTransaction, userId: string): Promise<string>;
  /**
   * Whose session a request carries.
   *
   * @param options.touch false for a look that is no use of it: a stream's own check.
   * @throws GatewayError `UNAUTHENTICATED`.
   */
  of(request: Request, options?: { touch: boolean }): Promise<SignedIn>;
  /** True while it is valid; not a use of it. */
  holds(tokenHash: string): Promise<boolean>;
  end(tx: ControlTransaction, tokenHash: string): Promise<void>;
  /** The `Set-Cookie` that hands a token out; without one it takes the cookie away. */
  cookie(token?: string): string;
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

const signedOut = (): GatewayError =>
  new GatewayError('UNAUTHENTICATED', {
    detail: 'Nobody is signed in, or the session has ended.',
    hint: 'Sign in again.',
    headers: { 'WWW-Authenticate': 'Cookie realm="causeway portal"' },
  });

/**
 * Sessions of the portal: an opaque cookie of 256 random bits, of which the store knows the hash only.
 *
 * With https the cookie is `__Host-`: this host's alone. Cookies do not know ports, so on plain http (loopback) the name
 * carries the port, and two gateways of one machine do not sign each other out.
 */
export function createSessions({ control, clock, publicUrl }: { control: ControlStore; clock: Clock; publicUrl: string }): Sessions {
  const { protocol, port } = new URL(publicUrl);
  const isSecure = protocol === 'https:';
  const name = isSecure ? '__Host-causeway' : `causeway-${port || '80'}`;

  const isOver = (session: { lastSeenAt: Date; expiresAt: Date }): boolean =>
    clock.now() >= session.expiresAt.getTime() || clock.now() >= session.lastSeenAt.getTime() + IDLE_MS;

  async function find(tokenHash: string) {
    const session = await control.read.portalSession.findUnique({ where: { tokenHash } });
    if (!session || isOver(session)) return undefined;
    const user = await control.read.portalUser.findUnique({ where: { id: session.userId } });
    return user && user.disabledAt === null && isRole(user.role) ? { session, user, role: user.role } : undefined;
  }

  return {
    async start(tx, userId) {
      const now = clock.now();
      await tx.portalSession.deleteMany({
        where: { OR: [{ expiresAt: { lte: new Date(now) } }, { lastSeenAt: { lte: new Date(now - IDLE_MS) } }] },
      });
      const own = await tx.portalSession.findMany({ where: { userId }, orderBy: { createdAt: 'desc' }, skip: SESSIONS_MAX - 1 });
      await tx.portalSession.deleteMany({ where: { tokenHash: { in: own.map((session) => session.tokenHash) } } });
      const token = randomBytes(32).toString('base64url');
      const at = new Date(now);
      await tx.portalSession.create({
        data: { tokenHash: hashOf(token), userId, createdAt: at, lastSeenAt: at, expiresAt: new Date(now + SESSION_MS) },
      });
      return token;
    },

    async of(request, { touch } = { touch: true }) {
      const token = cookieOf(request.headers.cookie, name);
      const found = token === undefined ? undefined : await find(hashOf(token));
      if (!found) throw signedOut();
      const { session, user, role } = found;
      let lastSeenAt = session.lastSeenAt.getTime();
      if (touch && clock.now() - lastSeenAt >= SEEN_EVERY_MS) {
        lastSeenAt = clock.now();
        await control.transact(async (tx) => {
          await tx.portalSession.updateMany({ where: { tokenHash: session.tokenHash }, data: { lastSeenAt: new Date(lastSeenAt) } });
        });
      }
      return {
        ...{ userId: user.id, email: user.email, role, tokenHash: session.tokenHash },
        partnerId: user.partnerId ?? undefined,
        markets: user.markets === null ? undefined : (JSON.parse(user.markets) as string[]),
        idleAt: lastSeenAt + IDLE_MS,
        expiresAt: session.expiresAt.getTime(),
      };
    },

    holds: async (tokenHash) => (await find(tokenHash)) !== undefined,

    async end(tx, tokenHash) {
      await tx.portalSession.deleteMany({ where: { tokenHash } });
    },

    cookie: (token) =>
      [
        `${name}=${token ?? ''}`,
        'Path=/',
        'HttpOnly',
        'SameSite=Lax',
        ...(isSecure ? ['Secure'] : []),
        ...(token === undefined ? ['Max-Age=0'] : []),
      ].join('; '),
  };
}

/** RFC 6265 §4.2: the value of one cookie; only what `start` could have made. */
function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const [key, value = ''] = pair.trim().split('=', 2);
    if (key === name && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  }
  return undefined;
}
