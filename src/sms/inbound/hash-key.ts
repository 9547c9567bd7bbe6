import { randomBytes } from 'node:crypto';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { MessageStore } from '../../store/index.js';
import { insertSecret } from '../operations.js';

const NAME = 'inbound-hash-key';

/** A secret of the bridge is wrapped for its name. */
export const secretPurpose = (name: string): string => name;

/** The key under which repeats of inbound SMS are recognised: made once, shared by all nodes, wrapped at rest. */
export async function openHashKey(store: MessageStore, keyWrap: KeyWrap): Promise<Uint8Array> {
  await store.run(insertSecret, { name: NAME, wrapped: keyWrap.wrap(randomBytes(32), secretPurpose(NAME)) });
  const [row] = await store.read<{ wrapped: string }>('SELECT wrapped FROM sms_secret WHERE name = $1', [NAME]);
  return keyWrap.unwrap(row?.wrapped ?? '', secretPurpose(NAME));
}
