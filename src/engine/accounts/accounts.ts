import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import type { Msisdn } from '../../kernel/msisdn.js';
import { inList } from '../../store/index.js';
import type { EngineContext } from '../context.js';
import type { DeviceTokens, NumberVerification } from '../hooks.js';
import type { Lines } from './lines.js';
import { registerAccounts } from './register-operation.js';

export interface NewDevice {
  /** 1 to 80 characters, for people. */
  name: string;
  /** 1 to 16383 (Signal's range), chosen by the device at each registration. */
  registrationId: number;
  platform: 'android' | 'ios' | 'web' | 'bot';
}

export interface Registration {
  accountId: string;
  deviceId: string;
  /** Shown this once; the engine keeps only its hash. */
  deviceSecret: string;
  accessToken: string;
  expiresInSeconds: number;
}

export interface Account {
  accountId: string;
  msisdn: string;
  /** BCP 47. */
  language: string;
}

export interface Accounts {
  /**
   * Registers a number whose holder the operator has verified. A live account keeps its id and gets this device in
   * place of the one it had; a number that has changed hands since gets a new account.
   *
   * @throws GatewayError `MESSAGING.VERIFICATION_FAILED`.
   */
  register(asked: { msisdn: Msisdn; verificationToken: string; device: NewDevice; language: string }): Promise<Registration>;
  /** @throws GatewayError `UNAUTHENTICATED`, the same for an unknown device and a wrong secret. */
  token(credential: { deviceId: string; deviceSecret: string }): Promise<{ accessToken: string; expiresInSeconds: number }>;
  /** The live account of a number. */
  byMsisdn(msisdn: string): Promise<Account | undefined>;
  /** The live accounts of many numbers, by number. */
  among(msisdns: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Which of up to 20 numbers have a live account. */
  search(msisdns: readonly string[]): Promise<{ msisdn: string; accountId: string }[]>;
}

/** A random 256-bit secret needs no slow hash. */
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const SEARCH_MAX = 20;

export function createAccounts(
  { store, clock, domainClock, announce }: EngineContext,
  hooks: { tokens: DeviceTokens; numberVerification: NumberVerification; lines: Lines },
): Accounts {
  return {
    async register({ msisdn, verificationToken, device, language }) {
      if (!(await hooks.numberVerification.verify(msisdn, verificationToken))) {
        throw new GatewayError('MESSAGING.VERIFICATION_FAILED', {
          detail: 'The token does not prove that this device uses the number.',
          hint: 'Ask the operator for a new one-time token over the cellular connection; each serves once.',
        });
      }
      const wallNow = clock.now();
      const line = await hooks.lines.get(msisdn);
      const deviceId = newId('dev', wallNow);
      const deviceSecret = `devs_${randomBytes(32).toString('base64url')}`;
      const { accountId, replaced } = await store.run(registerAccounts, {
        accountId: newId('acc', wallNow),
        deviceId,
        factId: newId('evt', wallNow),
        msisdn,
        language,
        ...device,
        secretHash: hashOf(deviceSecret),
        wallNow,
        domainNow: line ? domainClock.now(line.partnerId) : wallNow,
      });
      for (const gone of replaced) announce.removed(gone);
      announce.facts();
      return { accountId, deviceId, deviceSecret, ...(await hooks.tokens.issue({ accountId, deviceId })) };
    },

    async token({ deviceId, deviceSecret }) {
      const [row] = await store.read<{ account_id: string; secret_hash: string }>(
        'SELECT account_id, secret_hash FROM engine_device WHERE id = $1 AND removed_at IS NULL',
        [deviceId],
      );
      const [given, kept] = [hashOf(deviceSecret), row?.secret_hash ?? hashOf('')];
      if (!timingSafeEqual(Buffer.from(given), Buffer.from(kept)) || !row) {
        throw new GatewayError('UNAUTHENTICATED', { detail: 'The device or its secret is not known, or the number has registered anew.' });
      }
      return hooks.tokens.issue({ accountId: row.account_id, deviceId });
    },

    async byMsisdn(msisdn) {
      const [row] = await store.read<{ id: string; language: string }>(
        'SELECT id, language FROM engine_account WHERE msisdn = $1 AND ended_at IS NULL',
        [msisdn],
      );
      return row && { accountId: row.id, msisdn, language: row.language };
    },

    async among(msisdns) {
      const { list, values } = inList(msisdns);
      const rows = await store.read<{ id: string; msisdn: string }>(
        `SELECT id, msisdn FROM engine_account WHERE msisdn IN (${list}) AND ended_at IS NULL`,
        values,
      );
      return new Map(rows.map(({ id, msisdn }) => [msisdn, id]));
    },

    async search(msisdns) {
      const { list, values } = inList(msisdns, 1, SEARCH_MAX);
      const rows = await store.read<{ id: string; msisdn: string }>(
        `SELECT id, msisdn FROM engine_account WHERE msisdn IN (${list}) AND ended_at IS NULL ORDER BY msisdn`,
        values,
      );
      return rows.map((row) => ({ msisdn: row.msisdn, accountId: row.id }));
    },
  };
}
