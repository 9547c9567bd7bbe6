import { z } from 'zod';

/** Bytes of one frame; a message for one device with the largest body fits. */
export const FRAME_MAX_BYTES = 256 * 1024;

export const CLOSE = {
  goingAway: 1001,
  notText: 1003,
  notAFrame: 1007,
  unauthenticated: 4401,
  idle: 4408,
  elsewhere: 4409,
  frameTooLarge: 4413,
  tooMany: 4429,
} as const;

const frame = z.discriminatedUnion('t', [
  z.object({
    t: z.literal('req'),
    id: z.string().min(1).max(64),
    verb: z.string().max(16),
    path: z.string().max(256),
    body: z.unknown().optional(),
  }),
  z.object({
    t: z.literal('res'),
    id: z.string().min(1).max(64),
    status: z.number().int().min(100).max(599),
    body: z.unknown().optional(),
  }),
]);

export type Frame = z.output<typeof frame>;

/** undefined when the text is not a frame. */
export function parseFrame(text: string): Frame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return frame.safeParse(value).data;
}
