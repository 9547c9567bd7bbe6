import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/kernel/errors.js';
import { createLog } from '../../src/kernel/log.js';

function written(act: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  act(createLog('info', { write: (line) => void lines.push(line) }));
  return lines;
}
const failing = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (failure) {
    return failure;
  }
};

describe('the log', () => {
  test('is one JSON object a line, with the time in RFC 3339', () => {
    const lines = written((log) => log.info({ orderId: 'ord_1' }, 'order begun'));
    expect(lines).toHaveLength(1);
    const { time, ...rest } = JSON.parse(lines[0] ?? '');
    expect(new Date(time).toISOString()).toBe(time);
    expect(rest).toEqual({ level: 30, orderId: 'ord_1', msg: 'order begun' });
  });

  test('blots out fields that must not be there, also one level down', () => {
    const secret = 's3cr3t-value';
    for (const field of ['msisdn', 'imsi', 'iccid', 'text', 'token', 'password', 'authorization', 'short_message', 'clientSecret', 'key']) {
      const [line = ''] = written((log) => log.warn({ [field]: secret, nested: { [field]: secret } }, 'a slip'));
      expect(line).not.toContain(secret);
      expect(line).toContain('[redacted]');
    }
  });

  test('tells an error of ours by code and words', () => {
    const [line = ''] = written((log) => log.error({ err: new GatewayError('NOT_FOUND', { detail: 'There is no such plan.' }) }, 'failed'));
    expect(JSON.parse(line).err).toMatchObject({
      type: 'GatewayError',
      code: 'NOT_FOUND',
      message: expect.stringContaining('no such plan'),
    });
  });

  test('never repeats what an error quotes: the text that was no JSON, the row that Prisma could not store, a number', () => {
    const quoted = failing(() => JSON.parse('Meet me at nine, +9995790000123'));
    const stored = Object.assign(new Error('Invalid `create()` invocation: { msisdn: "+9995790000123" }'), {
      name: 'PrismaClientValidationError',
      code: 'P2000',
      meta: { text: 'Meet me at nine' },
    });
    const ours = new Error('no line for +9995790000123', { cause: quoted });
    const lines = written((log) => {
      for (const err of [quoted, stored, ours, 'Meet me at nine']) log.error({ err }, 'failed');
    });
    expect(lines).toHaveLength(4);
    expect(lines.join('')).not.toMatch(/Meet|5790000123/);
    expect(lines[1]).toContain('P2000');
    expect(lines[0]).toContain('log.test.ts');
    expect(lines[2]).toContain('no line for [digits]');
  });
});
