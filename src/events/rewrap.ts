import type { KeyRing } from '../kernel/key-wrap.js';
import type { ControlStore } from '../store/index.js';
import { secretPurpose } from './event-subscriptions.js';
import { keyPurpose } from './webhook-keys.js';

/** Wraps the secrets and private keys of webhooks under the ring's current key. @returns how many there were to do. */
export async function rewrapWebhookKeys({ read, transact }: ControlStore, ring: KeyRing): Promise<number> {
  const older = { NOT: { secret: { startsWith: ring.prefix() } } };
  const endpoints = await read.eventSubscription.findMany({
    where: { secret: { not: null }, ...older },
    select: { id: true, secret: true },
  });
  for (const { id, secret } of endpoints) {
    const again = secret === null ? undefined : ring.rewrap(secret, secretPurpose(id));
    // Without a new version: what a partner sees has not changed.
    if (again !== undefined) await transact((tx) => tx.eventSubscription.updateMany({ where: { id, secret }, data: { secret: again } }));
  }
  const keys = await read.webhookKey.findMany({ where: { NOT: { privateKey: { startsWith: ring.prefix() } } } });
  for (const { id, privateKey } of keys) {
    const again = ring.rewrap(privateKey, keyPurpose(id));
    if (again !== undefined) await transact((tx) => tx.webhookKey.updateMany({ where: { id, privateKey }, data: { privateKey: again } }));
  }
  return endpoints.length + keys.length;
}
