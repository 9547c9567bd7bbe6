import type { MarketPolicies } from './market-policies.js';
import type { Partner, PartnerClient, PartnerMarket } from './partner.js';
import type { Sender, SmppLink, SmppListenerAccount } from './partner-schema.js';

/** Every partner of this gateway. It does not change while the process runs. */
export interface PartnerRegistry {
  /** Ordered by id. */
  all(): readonly Partner[];
  get(partnerId: string): Partner | undefined;
  market(partnerId: string, code: string): PartnerMarket | undefined;
  /**
   * The operator that lists the longest prefix of a number, and the market. A prefix never proves who serves a number
   * (portability): line data goes first. `market.dialable` says whether the gateway may send there.
   *
   * @param msisdn E.164 with `+`.
   */
  byMsisdn(msisdn: string): { partner: Partner; market: PartnerMarket } | undefined;
  /** The operator whose card this is, by the longest prefix. */
  byIccid(iccid: string): { partner: Partner; market: PartnerMarket } | undefined;
  /** The hubs that deliver to a number, the longest `reach` first, then by id. */
  hubsFor(msisdn: string): readonly Partner[];
  client(clientId: string): { partner: Partner; client: PartnerClient } | undefined;
  link(partnerId: string, linkId: string): { partner: Partner; link: SmppLink } | undefined;
  /** The account that an ESME binds with at our own listener. */
  listener(systemId: string): { partner: Partner; account: SmppListenerAccount } | undefined;
  /** The owner of a number or short code that a subscriber answered. Letters take no answer. */
  sender(partnerId: string, address: string): { partner: Partner; sender: Sender } | undefined;
  /** What each market's law permits. */
  readonly policies: MarketPolicies;
}

/** @param partners checked already: ids, clients, accounts and prefixes are unique. */
export function createPartnerRegistry(partners: readonly Partner[], policies: MarketPolicies): PartnerRegistry {
  const sorted = Object.freeze([...partners].sort((a, b) => (a.id < b.id ? -1 : 1)));
  const byId = new Map(sorted.map((partner) => [partner.id, partner]));
  const clients = new Map(sorted.flatMap((partner) => partner.clients.map((client) => [client.id, { partner, client }] as const)));
  const listeners = new Map(
    sorted.flatMap((partner) => partner.smpp.listeners.map((account) => [account.systemId, { partner, account }] as const)),
  );
  const msisdns = new Map<string, { partner: Partner; market: PartnerMarket }>();
  const iccids = new Map<string, { partner: Partner; market: PartnerMarket }>();
  for (const partner of sorted) {
    for (const market of partner.markets) {
      for (const prefix of market.msisdnPrefixes) msisdns.set(prefix, { partner, market });
      for (const prefix of market.iccidPrefixes) iccids.set(prefix, { partner, market });
    }
  }
  const reached = (partner: Partner, msisdn: string) =>
    Math.max(0, ...partner.reach.filter((prefix) => msisdn.startsWith(prefix)).map((prefix) => prefix.length));

  return Object.freeze({
    policies,
    all: () => sorted,
    get: (partnerId: string) => byId.get(partnerId),
    market: (partnerId: string, code: string) => byId.get(partnerId)?.markets.find((market) => market.code === code),
    byMsisdn: (msisdn: string) => longestPrefix(msisdns, msisdn),
    byIccid: (iccid: string) => longestPrefix(iccids, iccid),
    hubsFor: (msisdn: string) =>
      sorted
        .map((partner) => ({ partner, length: reached(partner, msisdn) }))
        .filter(({ length }) => length > 0)
        .sort((a, b) => b.length - a.length)
        .map(({ partner }) => partner),
    client: (clientId: string) => clients.get(clientId),
    link(partnerId: string, linkId: string) {
      const partner = byId.get(partnerId);
      const link = partner?.smpp.links.find(({ id }) => id === linkId);
      return partner && link && { partner, link };
    },
    listener: (systemId: string) => listeners.get(systemId),
    sender(partnerId: string, address: string) {
      const partner = byId.get(partnerId);
      const sender = partner?.sms.senders.find((own) => own.address === address);
      return partner && sender && { partner, sender };
    },
  });
}

function longestPrefix<T>(byPrefix: ReadonlyMap<string, T>, text: string): T | undefined {
  for (let length = Math.min(text.length, 20); length > 0; length -= 1) {
    const found = byPrefix.get(text.slice(0, length));
    if (found !== undefined) return found;
  }
  return undefined;
}
