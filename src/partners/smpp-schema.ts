import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { distinct, identifier, integer, pemSecret, pemText, rule, smppPassword, systemId } from './fields.js';

export const bindTypes = z.enum(['transceiver', 'transmitter', 'receiver']);

/** ISO 639-1 codes of the languages that have national tables. */
export const nationalLanguages = z.enum(['tr', 'es', 'pt', 'bn', 'gu', 'hi', 'kn', 'ml', 'or', 'pa', 'ta', 'te', 'ur']);

const isAddressOrRange = (text: string): boolean => (text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text));

const ton = () => integer(0, 6).describe('Type of number (SMPP 3.4 §5.2.5).');
const npi = () =>
  z
    .literal(
      [0, 1, 3, 4, 6, 8, 9, 10, 14, 18],
      rule('must be one of 0, 1, 3, 4, 6, 8, 9, 10, 14, 18', 'choose the plan that the operator names'),
    )
    .describe('Numbering plan (SMPP 3.4 §5.2.6).');

/** An SMPP link: we bind to the operator's SMSC as ESME. */
export const linkSchema = z.strictObject({
  id: identifier().describe('The name of the link, in the API, in logs and in metrics.'),
  sites: z
    .array(
      z.strictObject({
        host: z
          .string()
          .max(253)
          .regex(/^[A-Za-z0-9._:-]+$/, rule('must be a host name or an IP address', 'write it without a scheme and port'))
          .describe('Host name or IP address; sandbox = the simulated SMSC.'),
        port: integer(0, 65_535).describe('TCP port; 0 for the simulated SMSC, which takes a free one.'),
      }),
    )
    .min(1)
    .max(8)
    .describe('Where the SMSC listens. Binds are spread over the sites in turn.'),
  tls: z
    .union([
      z.literal(['off', 'on']),
      z.strictObject({
        ca: pemText().optional().describe("The operator's own certificate authority, PEM."),
        cert: pemText().optional().describe('Our client certificate, PEM.'),
        key: pemSecret().optional().describe('Our client key, PEM.'),
      }),
    ])
    .default('off')
    .describe('off, on (the system trust store), or ca, cert and key. Production refuses off unless vpn is true.'),
  vpn: z.boolean().default(false).describe('The link runs inside a VPN, so that it may go without TLS.'),
  bindType: bindTypes.default('transceiver').describe('How each bind is made.'),
  binds: integer(1, 32).default(2).describe('How many binds are kept up.'),
  systemId: systemId().describe('Our name at the SMSC, at most 15 characters.'),
  password: smppPassword().describe('At most 8 characters; a reference.'),
  systemType: z
    .string()
    .regex(/^[ -~]{0,12}$/, rule('must be at most 12 printable ASCII characters (SMPP 3.4 §4.1.1)', 'write what the operator names, or ""'))
    .default('')
    .describe('What the operator asks for; mostly empty.'),
  interfaceVersion: z.enum(['3.4', '5.0']).default('3.4').describe('The version that the bind names, in quotes.'),
  source: z
    .strictObject({ ton: ton().default(5), npi: npi().default(0) })
    .default({ ton: 5, npi: 0 })
    .describe('How an alphanumeric sender is declared; a number is sent with that of the destination.'),
  destination: z
    .strictObject({
      ton: ton().default(1),
      npi: npi().default(1),
      format: z.enum(['international', 'national', 'plus']).default('international').describe('491…, 01… or +491…'),
    })
    .default({ ton: 1, npi: 1, format: 'international' })
    .describe('How a destination is written.'),
  dataCodingDefault: z.enum(['gsm0338', 'latin1', 'ascii']).default('gsm0338').describe('What the SMSC takes data_coding 0 for.'),
  packedSeptets: z.boolean().default(false).describe('The SMSC sends GSM text packed, eight characters in seven octets.'),
  nationalShift: distinct(nationalLanguages, 0, 13)
    .default([])
    .describe('Languages whose national tables (3GPP TS 23.038 annex A) SMSC and handsets read; used where that saves segments.'),
  transliterate: z
    .enum(['off', 'signs', 'accents'])
    .default('off')
    .describe('What may be written otherwise where that saves segments: nothing, typographic signs, or accents of letters, too.'),
  windowSizeMax: integer(1, 1_000).default(10).describe('Submits in flight on one bind, at most.'),
  segmentsPerSecondMax: integer(1, 100_000).default(50).describe('Segments a second over all binds of the link, at most.'),
  recipientSegmentsPerSecondMax: integer(1, 100).default(2).describe('Segments a second to one number, at most; up to ten may go at once.'),
  retry: z
    .record(
      z
        .string()
        .regex(/^(ESME_R[A-Z0-9_]{1,40}|0x[0-9a-f]{8})$/, rule('must be a command_status', 'write it as ESME_RSYSERR or 0x00000400')),
      z.union([
        z.literal('never'),
        z.strictObject({
          afterSeconds: integer(0, 3_600).describe('Before the second try; each further one waits twice as long, up to an hour.'),
          attempts: integer(2, 100).describe('Tries at most, the first included.'),
        }),
      ]),
    )
    .default({})
    .describe('What is done with a message that the SMSC refused with a status, instead of what is done by itself.'),
  validityMaxSeconds: integer(60, 5_443_200).default(259_200).describe('The longest validity_period that the SMSC keeps.'),
  enquireLinkSeconds: integer(5, 300).default(30).describe('Silence after which enquire_link is sent.'),
  responseTimeoutMs: integer(1_000, 60_000).default(10_000).describe('How long a response may take.'),
  longMessages: z.enum(['udh8', 'udh16', 'sar', 'payload']).default('udh16').describe('How a text of several segments is sent.'),
  messageIdForm: z.enum(['auto', 'text', 'hex', 'decimal']).default('auto').describe('How message ids in responses and receipts compare.'),
  querySm: z.boolean().default(false).describe('Whether the SMSC answers query_sm.'),
});

/** An account that the operator's ESMEs may bind with at our own listener. */
export const listenerSchema = z.strictObject({
  systemId: systemId().describe('The name of the account, at most 15 characters; unique over all partners.'),
  password: smppPassword().describe('At most 8 characters; a reference.'),
  bindTypes: z.array(bindTypes).min(1).max(3).default(['transceiver', 'transmitter', 'receiver']).describe('The binds that it may make.'),
  binds: integer(1, 32).default(4).describe('Binds at the same time, at most.'),
  allowedAddresses: distinct(
    z
      .string()
      .refine(isAddressOrRange, rule('must be an IP address or a range of them', 'write it as 192.0.2.7 or 192.0.2.0/24, in quotes')),
    1,
    100,
  ).describe('Where it may come from: IP addresses and CIDR ranges.'),
  segmentsPerSecondMax: integer(1, 10_000).default(100).describe('Segments a second, at most; more are throttled.'),
  senders: distinct(z.string().min(1).max(20), 1, 200).default(['*']).describe('The senders that it may use; * = all of the partner.'),
  dataCodingDefault: z.enum(['gsm0338', 'latin1']).default('gsm0338').describe('What the ESME means by data_coding 0.'),
  longMessages: z.enum(['udh8', 'udh16', 'sar', 'payload']).default('udh16').describe('How it gets a text of several segments.'),
  messageIds: z
    .strictObject({
      response: z.enum(['decimal', 'hex']).default('decimal').describe('In submit_sm_resp.'),
      receipt: z.enum(['decimal', 'hex']).default('decimal').describe('In receipts.'),
    })
    .default({ response: 'decimal', receipt: 'decimal' })
    .describe('How it reads message ids; Kannel calls it msg-id-type.'),
});

export const smppSchema = z.strictObject({
  links: z.array(linkSchema).max(32).default([]).describe("Our links to the operator's SMSCs."),
  listeners: z.array(listenerSchema).max(32).default([]).describe("Accounts for the operator's ESMEs at our listener."),
});
