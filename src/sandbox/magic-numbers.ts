/**
 * Numbers of the sandbox's own ranges whose last six digits choose how the simulated operator behaves.
 *
 * A magic number is `+999579` (E-Plus) or `+999879` (Cable & Wireless), then zero to three digits of the caller's choice,
 * then the suffix: `+9995790000101`, `+9995797000101` and `+999879000101` are all undeliverable. Every other number that
 * the sandbox may dial behaves as `delivered`. docs/partners/sandbox.md has the same table; a test compares the two.
 */
export const magicNumbers = [
  { suffix: '000100', name: 'delivered', area: 'sms', meaning: 'Accepted at once; receipt DELIVRD within 1 s.' },
  { suffix: '000101', name: 'undeliverable', area: 'sms', meaning: 'Accepted; the handset gets nothing; receipt UNDELIV err:001.' },
  {
    suffix: '000102',
    name: 'throttled',
    area: 'sms',
    meaning: 'ESME_RTHROTTLED twice, then accepted and delivered; then it begins again.',
  },
  { suffix: '000103', name: 'expired', area: 'sms', meaning: 'Accepted; the handset gets nothing; receipt EXPIRED err:002.' },
  { suffix: '000104', name: 'rejected', area: 'sms', meaning: 'Every submit is refused with ESME_RINVDSTADR.' },
  { suffix: '000105', name: 'queueFull', area: 'sms', meaning: 'ESME_RMSGQFUL once, then accepted and delivered; then it begins again.' },
  { suffix: '000106', name: 'receiptBeforeResponse', area: 'sms', meaning: 'The receipt is on the wire before the submit_sm_resp.' },
  { suffix: '000107', name: 'noReceipt', area: 'sms', meaning: 'Accepted and delivered; a receipt never comes.' },
  { suffix: '000108', name: 'receiptTwice', area: 'sms', meaning: 'Accepted and delivered; the same receipt comes twice.' },
  {
    suffix: '000109',
    name: 'linkDrop',
    area: 'sms',
    meaning: 'Accepted and delivered, but the connection is cut before the submit_sm_resp; the receipt comes on another bind.',
  },
  { suffix: '000110', name: 'slowResponse', area: 'sms', meaning: 'Accepted and delivered; the submit_sm_resp comes after 15 s.' },
  { suffix: '000120', name: 'activationRefused', area: 'network', meaning: 'The network rejects the activation of this line.' },
  {
    suffix: '000130',
    name: 'numberVerificationRefused',
    area: 'network',
    meaning: 'Number verification answers that the device does not use this number.',
  },
] as const;

export type MagicNumber = (typeof magicNumbers)[number];
export type MagicName = MagicNumber['name'];

const MAGIC = /^\+?999(?:57|87)9[0-9]{0,3}(0001[0-9]{2})$/;
const DIALABLE = /^\+?999(?:57|87)[0-9]{1,10}$/;

/** What the simulated operator does with this number (E.164, `+` optional): `delivered` unless it is a magic one. */
export function behaviourOf(msisdn: string): MagicName {
  const suffix = MAGIC.exec(msisdn)?.[1];
  return magicNumbers.find((magic) => magic.suffix === suffix)?.name ?? 'delivered';
}

/** True for the numbers that the sandbox may reach: `+99957…` and `+99987…` (`+` optional), which belong to nobody. */
export function dialable(number: string): boolean {
  return DIALABLE.test(number);
}
