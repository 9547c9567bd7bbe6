import { join } from 'node:path';
import { ConfigurationError, readOptions } from '../config/index.js';
import { rewrapWebhookKeys } from '../events/index.js';
import { rewrapAnswers } from '../http/index.js';
import { addMasterKey, dropOlderMasterKeys, readMasterKey, rewrapSigningKeys } from '../identity/index.js';
import { systemClock } from '../kernel/clock.js';
import { GatewayError } from '../kernel/errors.js';
import type { KeyRing } from '../kernel/key-wrap.js';
import { rewriteStateFile, SMSC_FILE } from '../sandbox/index.js';
import { rewrapOpenerRing, rewrapSms } from '../sms/index.js';
import { openPostgresStore, openSqliteStore, type Store } from '../store/index.js';
import { opensWith } from './backup.js';
import type { CommandContext } from './command-context.js';

export interface Rotation {
  store: Store;
  dataDir: string;
  keysDir: string;
  /** Whether the older keys go at the end: false while other processes may still wrap with them. */
  isLast: boolean;
  /** Told after each step; when it throws, the rotation has died there. */
  onStep?(step: string): void;
}

/**
 * Puts a new master key before the others, wraps everything that is wrapped anew, and drops the older keys once nothing
 * wants them. Whenever it dies in between, every key is still in the file and running it again goes on where it was.
 *
 * @throws GatewayError `CONFIG.INVALID` when the keys do not open the data; nothing was changed then.
 */
export async function rotateMasterKey({ store, dataDir, keysDir, isLast, onStep = () => {} }: Rotation): Promise<void> {
  await opensWith(store, keysDir);
  if (readMasterKey(keysDir).size() === 1) {
    addMasterKey(keysDir);
    onStep('a new master key wraps from now on; the old one still opens');
  } else onStep('going on with the rotation that was begun before');
  const ring = readMasterKey(keysDir);
  const places: Record<string, (ring: KeyRing) => Promise<number> | number> = {
    'token signing keys': (keys) => rewrapSigningKeys(store.control, keys),
    'webhook secrets and keys': (keys) => rewrapWebhookKeys(store.control, keys),
    'stored answers': (keys) => rewrapAnswers(store.control, keys),
    'SMS bridge': (keys) => rewrapSms(store.messages, keys),
    'opener ring': (keys) => rewrapOpenerRing(keysDir, keys),
    'simulated SMSC': (keys) => rewriteStateFile(join(dataDir, SMSC_FILE), keys),
  };
  for (const [name, rewrap] of Object.entries(places)) onStep(`${name}: ${await rewrap(ring)} wrapped anew`);
  await store.checkpoint();
  if (!isLast) return;
  dropOlderMasterKeys(keysDir);
  onStep('the old master key is gone from the file');
}

/**
 * `causeway keys rotate`: with SQLite while the gateway is stopped, in one go. With PostgreSQL nodes may run: they take
 * the new key at their next restart, and `finish` then drops the old one.
 *
 * @returns the exit code.
 */
export async function keysRotate({ env, write }: CommandContext, { finish }: { finish: boolean }): Promise<number> {
  const { options, problems } = readOptions(env);
  const { CAUSEWAY_DATA_DIR: dataDir, CAUSEWAY_KEYS_DIR: keysDir, CAUSEWAY_DATABASE_URL: databaseUrl } = options;
  if (dataDir === undefined || keysDir === undefined) throw new ConfigurationError(problems);
  const store = databaseUrl
    ? await openPostgresStore(databaseUrl, systemClock, () => undefined)
    : await openSqliteStore(dataDir).catch(sayStopFirst);
  try {
    const isLast = databaseUrl === undefined || finish;
    if (finish && readMasterKey(keysDir).size() === 1) {
      write('There is no rotation to finish.\n');
      return 0;
    }
    await rotateMasterKey({ store, dataDir, keysDir, isLast, onStep: (step) => write(`${step}\n`) });
    if (isLast) write('ok: one master key. Keep a copy of the new file, and the old copy for as long as backups of before are kept.\n');
    else write('Next: restart every node, one after the other, then: npm run causeway -- keys rotate --finish\n');
    return 0;
  } finally {
    await store.close();
  }
}

function sayStopFirst(failure: unknown): never {
  if (failure instanceof GatewayError && failure.code === 'STORE.LOCKED') {
    throw new GatewayError('STORE.LOCKED', {
      detail: failure.detail,
      hint: 'Stop the gateway first; a rotation takes seconds.',
      cause: failure,
    });
  }
  throw failure;
}
