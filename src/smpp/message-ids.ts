/**
 * How a receipt writes the id that submit_sm_resp gave: `text`, the same but for case, `0x`, spaces and leading zeros; `decimal`, in
 * decimal what the response had in hexadecimal; `hex`, the other way round. SMPP 3.4 §5.2.23 asks for the first.
 */
export type MessageIdForm = 'text' | 'decimal' | 'hex';

/** A message id in comparable form: without case, spaces, `0x` and leading zeros, in which SMSCs differ with themselves. */
export const plainMessageId = (id: string): string =>
  id
    .replace(/\s+/g, '')
    .toLowerCase()
    .replace(/^0x/, '')
    .replace(/^0+(?=.)/, '');

/** Longer digits are no number that an SMSC counts with: 128 bits in either notation. */
const DECIMAL = /^[0-9]{1,39}$/;
const HEX = /^[0-9a-f]{1,32}$/;

/** What the response may have had, in comparable form, where a receipt has `id`: by the form that would explain it. */
export function answeredIds(id: string): { readonly form: MessageIdForm; readonly key: string }[] {
  const plain = plainMessageId(id);
  if (plain === '') return [];
  return [
    { form: 'text', key: plain },
    ...(DECIMAL.test(plain) ? [{ form: 'decimal', key: BigInt(plain).toString(16) } as const] : []),
    ...(HEX.test(plain) ? [{ form: 'hex', key: BigInt(`0x${plain}`).toString() } as const] : []),
  ];
}
