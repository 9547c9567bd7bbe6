import type { Partner, Sender, SmppListenerAccount } from '../../partners/index.js';
import { comparable } from '../addresses.js';

/** An account at our listener, and the operator whose ESME binds with it. */
export interface EsmeAccount {
  readonly partner: Partner;
  readonly config: SmppListenerAccount;
}

/** The entry of the sender inventory that an address names, where the account may send from it. */
export function senderOf({ partner, config }: EsmeAccount, address: string): Sender | undefined {
  const named = partner.sms.senders.find((sender) => comparable(sender.address) === comparable(address));
  return named && isUsed(named) && named.direction !== 'mo' && mayUse(config, named) ? named : undefined;
}

const isUsed = ({ status }: Sender): boolean => status === 'active';
const mayUse = ({ senders }: SmppListenerAccount, { address }: Sender): boolean => senders.includes('*') || senders.includes(address);

/** Marks what came from an ESME among a partner's messages: no API client has a colon in its id. */
export const esmeClientId = ({ config }: EsmeAccount): string => `esme:${config.systemId}`;
export const isFromEsme = ({ clientId }: { readonly clientId: string | undefined }): boolean => clientId?.startsWith('esme:') === true;

/**
 * The account whose ESME gets what handsets write to a sender of the partner: one that lists it, before one that may use
 * all; of several the first in the file. An account that may only transmit gets nothing.
 */
export function ownerOf(partner: Partner, address: string): EsmeAccount | undefined {
  const sender = partner.sms.senders.find((own) => comparable(own.address) === comparable(address));
  if (!sender || !isUsed(sender) || !takesMessages(sender)) return undefined;
  const receiving = partner.smpp.listeners.filter(({ bindTypes }) => bindTypes.some((type) => type !== 'transmitter'));
  const config =
    receiving.find(({ senders }) => senders.includes(sender.address)) ?? receiving.find(({ senders }) => senders.includes('*'));
  return config && { partner, config };
}

const takesMessages = ({ direction, replies }: Sender): boolean => direction === 'mo' || direction === 'both' || replies;
