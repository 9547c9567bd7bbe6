import type { Fallback } from '../../engine/index.js';
import { GatewayError } from '../../kernel/errors.js';
import type { Partner } from '../../partners/index.js';
import { noticeText } from '../notices/notice-text.js';
import type { Opener } from '../opener/index.js';

/**
 * The text that goes out for a fallback. For a sealed one this is the moment of opening: the caller encodes it at once and
 * keeps it nowhere.
 *
 * @throws GatewayError what the opener refuses; `GONE` when the sealed text was deleted.
 */
export async function textOf(fallback: Fallback, partner: Partner, opener: Opener): Promise<string> {
  if (fallback.mode === 'notice') return noticeText(fallback, partner);
  const { sealed, clientMsgId, senderDeviceId, msisdn, ref } = fallback;
  if (!sealed) throw new GatewayError('GONE', { detail: 'The sealed text is no more.' });
  const text = await opener.open(sealed, { clientMsgId, senderDeviceId, msisdn, expiresAt: sealed.expiresAt });
  return `${text} #${ref}`;
}
