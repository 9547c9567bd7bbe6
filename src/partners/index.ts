/** The operators and hubs, as `partners/` describes them, and what each market's law permits. */
export { type ArgumentKind, type IcuMessage, readIcuMessage } from './icu-message.js';
export { checkPartners, loadPartners, type PartnersCheck } from './load-partners.js';
export type { MarketPolicies, MarketPolicy, ZeroRatingPolicy } from './market-policies.js';
export type { ClientKeys, Partner, PartnerClient, PartnerMarket, Templates } from './partner.js';
export type { Rate, Sender, SmppLink, SmppListenerAccount } from './partner-schema.js';
export { createPartnerRegistry, type PartnerRegistry } from './registry.js';
export type { Secret } from './secret.js';
export { startOfDay } from './start-of-day.js';
