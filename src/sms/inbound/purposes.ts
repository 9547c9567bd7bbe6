/** What the texts of inbound SMS are encrypted for, so that none can stand in another's place. */
export const INBOUND_PURPOSE = 'sms-inbound';

export const partPurpose = (groupKey: string, number: number): string => `${INBOUND_PURPOSE}-part:${groupKey}:${number}`;
