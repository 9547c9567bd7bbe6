import { z } from 'zod';
import { clientSchema } from './client-schema.js';
import { distinct, identifier, msisdnPrefix } from './fields.js';
import { authoritySchema, marketSchema } from './market-schema.js';
import { type linkSchema, type listenerSchema, smppSchema } from './smpp-schema.js';
import { type senderSchema, smsSchema } from './sms-schema.js';
import {
  agreementSchema,
  contactsSchema,
  provisioningSchema,
  rateLimitsSchema,
  type rateSchema,
  zeroRatingSchema,
} from './terms-schema.js';

/** partner.yaml, after references were resolved: every section, its defaults, bounds and a sentence for each field. */
export const partnerSchema = z.strictObject({
  id: identifier().describe('The name of the partner everywhere; the same as its folder.'),
  name: z.string().min(1).max(80).describe('What people read.'),
  kind: z
    .enum(['operator', 'hub'])
    .describe("operator: its links end messages for its own subscribers. hub: no subscribers, reaches others' numbers."),
  environment: z.enum(['sandbox', 'production']).describe('A gateway serves partners of its own environment only.'),
  contacts: contactsSchema.describe('Whom to write to.'),
  markets: z.array(marketSchema).min(1).max(50).describe('Where the partner has subscribers; several for a group.'),
  reach: distinct(msisdnPrefix(), 0, 500).default([]).describe('The prefixes that a hub delivers to; an operator has none.'),
  authority: authoritySchema
    .default({ sims: 'operator', subscriptions: 'operator', balances: 'operator' })
    .describe('Who is master of what; never assumed.'),
  clients: z.array(clientSchema).max(50).default([]).describe('The OAuth clients of the partner API.'),
  agreement: agreementSchema.describe('What was agreed: prices, who pays, and a budget.'),
  smpp: smppSchema.default({ links: [], listeners: [] }).describe('Links and accounts.'),
  sms: smsSchema.default(() => smsSchema.parse({})).describe('What the bridge may send, from whom and when.'),
  rateLimits: rateLimitsSchema
    .default({ readPerSecond: 200, writePerSecond: 100, tokenPerMinute: 60 })
    .describe('Requests that the partner API takes from each client.'),
  zeroRating: zeroRatingSchema.default(() => zeroRatingSchema.parse({})).describe('Classes and the delivery of traffic lists.'),
  provisioning: provisioningSchema.default({ esim: 'none' }).describe('Connections to fulfilment.'),
});

/** partner.yaml as the schema reads it. */
export type PartnerDocument = z.output<typeof partnerSchema>;
export type SmppLink = z.output<typeof linkSchema>;
export type SmppListenerAccount = z.output<typeof listenerSchema>;
export type Sender = z.output<typeof senderSchema>;
export type Rate = z.output<typeof rateSchema>;
