import type { Clock } from '../kernel/clock.js';
import { newId } from '../kernel/ids.js';
import type { ControlStore } from '../store/index.js';
import type { Passwords } from './passwords.js';
import type { Role } from './roles.js';

export interface NewUser {
  email: string;
  password: string;
  role: Role;
  /** Of whom; every role but `platform` has one. */
  partnerId?: string;
  markets?: readonly string[];
}

/** E-mails are compared without case (what providers do, RFC 5321 §2.4 notwithstanding). */
export const emailKey = (email: string): string => email.trim().toLowerCase();

/** Puts a user there with that password and role; one who is there already keeps id and sessions unless something differs. */
export async function ensureUser(
  { control, clock, passwords }: { control: ControlStore; clock: Clock; passwords: Passwords },
  { email, password, role, partnerId, markets }: NewUser,
): Promise<void> {
  const key = emailKey(email);
  const wanted = { role, partnerId: partnerId ?? null, markets: markets ? JSON.stringify(markets) : null };
  const known = await control.read.portalUser.findUnique({ where: { email: key } });
  const isSame = known && known.role === wanted.role && known.partnerId === wanted.partnerId && known.markets === wanted.markets;
  if (known && isSame && (await passwords.matches(known.passwordHash, password))) return;
  const now = new Date(clock.now());
  const data = { ...wanted, passwordHash: await passwords.hash(password), updatedAt: now };
  await control.transact(async (tx) => {
    const user = await tx.portalUser.upsert({
      where: { email: key },
      create: { id: newId('usr', now.getTime()), email: key, createdAt: now, ...data },
      update: data,
    });
    await tx.portalSession.deleteMany({ where: { userId: user.id } });
  });
}
