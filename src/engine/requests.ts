import { z } from 'zod';
import { GatewayError } from '../kernel/errors.js';

/**
 * The bodies of the messaging API. The HTTP edge has checked them against the contract before; the stream has not, so
 * both go through here, and what the engine works on is bounded whichever way it came.
 */
const id = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{26}$`));
const base64url = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(max)
    .regex(/^[A-Za-z0-9_-]+$/);
const suite = z
  .string()
  .max(40)
  .regex(/^[a-z0-9][a-z0-9._-]*$/);
const msisdn = z.string().regex(/^\+[1-9][0-9]{4,14}$/);
const registrationId = z.number().int().min(1).max(16_383);
const publishedKey = z.strictObject({ id: z.string().min(1).max(128), body: z.string().min(1).max(8_192) });
const deviceAddress = z.strictObject({ accountId: id('acc'), deviceId: id('dev') });

/** RFC 3339 with milliseconds and `Z`, since the text itself is part of the AAD. */
const sealedInstant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));

export const requests = {
  registerAccount: z.strictObject({
    msisdn,
    verification: z.strictObject({ method: z.literal('number-verification'), token: z.string().min(1).max(2_048) }),
    device: z.strictObject({ name: z.string().min(1).max(80), registrationId, platform: z.enum(['android', 'ios', 'web', 'bot']) }),
    language: z
      .string()
      .max(35)
      .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/),
  }),
  createDeviceToken: z.strictObject({ deviceId: id('dev'), deviceSecret: base64url(1, 256) }),
  uploadKeys: z.strictObject({
    identity: z.strictObject({ suite, body: z.string().min(1).max(16_384) }).optional(),
    oneTimeKeys: z.array(publishedKey).max(100).optional(),
    fallbackKeys: z.array(publishedKey).max(4).optional(),
    replyKey: z.strictObject({ suite: z.literal('hpke-1'), publicKey: base64url(43, 64) }).optional(),
  }),
  queryKeys: z.strictObject({ accountIds: z.array(id('acc')).min(1).max(50) }),
  claimKeys: z.strictObject({ devices: z.array(deviceAddress).min(1).max(50) }),
  searchContacts: z.strictObject({ msisdns: z.array(msisdn).min(1).max(20) }),
  sendMessage: z.strictObject({
    clientMsgId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    ref: z
      .string()
      .regex(/^[0-9A-HJKMNP-TV-Z]{4}$/)
      .optional(),
    ttlSeconds: z.number().int().min(60).max(2_592_000).default(2_592_000),
    urgent: z.boolean().optional(),
    devices: z
      .array(z.strictObject({ deviceId: id('dev'), registrationId, suite, body: z.string().min(1).max(131_072) }))
      .min(1)
      .max(6)
      .refine((devices) => new Set(devices.map((device) => device.deviceId)).size === devices.length, 'names a device twice'),
    fallback: z
      .strictObject({
        mode: z.enum(['notice', 'sealed']),
        class: z.enum(['otp', 'urgent', 'chat']),
        afterSeconds: z.number().int().min(10).max(43_200).optional(),
        senderName: z.string().min(1).max(40).optional(),
        sealed: z
          .strictObject({
            keyId: z.string().min(1).max(64),
            enc: base64url(43, 64),
            ciphertext: base64url(1, 8_192),
            expiresAt: sealedInstant,
          })
          .optional(),
      })
      .optional(),
  }),
  ackQueue: z.strictObject({ envelopeIds: z.array(id('msg')).min(1).max(256) }),
} as const;

const ERRORS_MAX = 20;

/**
 * @returns the body, typed, with defaults filled in.
 * @throws GatewayError `INVALID_ARGUMENT` with a pointer to each bad field (at most 20); values are never repeated.
 */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, ERRORS_MAX).map((issue) => ({
    pointer: issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
    code: 'INVALID_ARGUMENT',
    message: issue.code === 'unrecognized_keys' ? 'has a member that is not known here' : issue.message.slice(0, 200),
  }));
  throw new GatewayError('INVALID_ARGUMENT', { detail: 'The body is not what this call takes.', errors });
}
