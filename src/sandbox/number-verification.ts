import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.js';
import { parseMsisdn } from '../kernel/msisdn.js';
import type { ControlStore, ControlTransaction } from '../store/index.js';
import { behaviourOf } from './magic-numbers.js';

/** How long a phone has to use its token. */
const TOKEN_MS = 5 * 60 * 1_000;

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

export interface SandboxNumberVerification {
  /** The token that the operator's network gives to the phone with that number (CAMARA Number Verification). */
  issue(tx: ControlTransaction, partnerId: string, msisdn: string): Promise<{ token: string; expiresAt: Date }>;
  /** Whether the token proves the number. It is used up by the first call, whatever the answer. */
  verify(msisdn: string, token: string): Promise<boolean>;
  /** Forgets tokens that expired: a row holds a number. */
  sweep(): Promise<void>;
}

/** The simulated operator's number verification. Magic numbers ending in 000130 are refused (docs/partners/sandbox.md). */
export function createSandboxNumberVerification({ control, clock }: { control: ControlStore; clock: Clock }): SandboxNumberVerification {
  return {
    async issue(tx, partnerId, given) {
      const msisdn = parseMsisdn(given, '/msisdn');
      const token = randomBytes(24).toString('base64url');
      const expiresAt = new Date(clock.now() + TOKEN_MS);
      await tx.numberVerificationToken.create({ data: { tokenHash: hashOf(token), partnerId, msisdn, expiresAt } });
      return { token, expiresAt };
    },
    async verify(msisdn, token) {
      const now = new Date(clock.now());
      const { count } = await control.transact((tx) =>
        tx.numberVerificationToken.updateMany({
          where: { tokenHash: hashOf(token), msisdn, usedAt: null, expiresAt: { gt: now } },
          data: { usedAt: now },
        }),
      );
      return count === 1 && behaviourOf(msisdn) !== 'numberVerificationRefused';
    },
    async sweep() {
      const expired = { expiresAt: { lt: new Date(clock.now()) } };
      if ((await control.read.numberVerificationToken.findFirst({ where: expired, select: { tokenHash: true } })) === null) return;
      await control.transact((tx) => tx.numberVerificationToken.deleteMany({ where: expired }));
    },
  };
}
