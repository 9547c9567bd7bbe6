import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MessageIdForm, ReceiptId } from '../../../src/smpp/index.js';
import { type CandidatePart, choosePart, type KnownForm } from '../../../src/sms/receipts/choose-part.js';

const part = (smscMessageId: string, more: Partial<CandidatePart> = {}): CandidatePart => ({
  smsId: `sms_${smscMessageId}`,
  number: 1,
  smscMessageId,
  isOpen: true,
  at: 0,
  ...more,
});
const inText = (id: string): ReceiptId => ({ id, from: 'text' });
const inTlv = (id: string): ReceiptId => ({ id, from: 'tlv' });
const NOTHING_KNOWN = { learned: { tlv: undefined, text: undefined } };
const learned = (text: MessageIdForm, tlv: MessageIdForm = 'text'): KnownForm => ({ learned: { tlv, text } });

const chosen = (ids: ReceiptId[], parts: CandidatePart[], known: KnownForm = NOTHING_KNOWN) => {
  const found = choosePart(ids, parts, known);
  return found === undefined || found === 'ambiguous' ? found : found.part.smscMessageId;
};

describe('where nothing is known of the link', () => {
  test.each([
    ['the same id', '9f3a', ['9f3a', '40762']],
    ['the other case', '9F3A', ['9f3a']],
    ['zeros more', '0009f3a', ['9f3a']],
    ['decimal for hexadecimal', '40762', ['9f3a']],
    ['hexadecimal for decimal', '9f3a', ['40762']],
  ])('%s', (_how, id, answered) => {
    expect(
      chosen(
        [inText(id)],
        answered.map((each) => part(each)),
      ),
    ).toBe(answered[0]);
  });

  test('what two open parts explain is of none of them', () => {
    // 100 is the decimal of 64, and the hexadecimal of 256.
    expect(chosen([inText('0100')], [part('64'), part('256')])).toBe('ambiguous');
    expect(chosen([inText('00100')], [part('100'), part('0100')])).toBe('ambiguous');
  });

  test('of those, the one that is still open', () => {
    expect(chosen([inText('0100')], [part('64', { isOpen: false }), part('256')])).toBe('256');
  });

  test('one that has ended still gets what comes late', () => {
    expect(chosen([inText('100')], [part('64', { isOpen: false })])).toBe('64');
  });

  test('of one id given twice the latest, and the open one before it', () => {
    const [early, late] = [part('7', { smsId: 'a', at: 1 }), part('7', { smsId: 'b', at: 2 })];
    expect(choosePart([inText('7')], [early, late], NOTHING_KNOWN)).toMatchObject({ part: { smsId: 'b' } });
    expect(choosePart([inText('7')], [early, { ...late, isOpen: false }], NOTHING_KNOWN)).toMatchObject({ part: { smsId: 'a' } });
  });

  test('nothing, when no form explains it', () => {
    expect(chosen([inText('77')], [part('78')])).toBeUndefined();
    expect(chosen([], [part('78')])).toBeUndefined();
  });
});

describe('a form that was learned', () => {
  test('holds before the same id, which may be another message by chance', () => {
    expect(chosen([inText('100')], [part('100'), part('64')], learned('decimal'))).toBe('64');
    expect(chosen([inText('100')], [part('100'), part('256')], learned('hex'))).toBe('256');
    expect(chosen([inText('100')], [part('100'), part('64'), part('256')], learned('text'))).toBe('100');
  });

  test('is of its place: the parameter has another than the text', () => {
    expect(chosen([inTlv('64'), inText('100')], [part('100'), part('64')], learned('decimal'))).toBe('64');
  });

  test('gives way where it explains nothing: an SMSC may change its ways', () => {
    expect(chosen([inText('9f3a')], [part('9f3a')], learned('decimal'))).toBe('9f3a');
  });
});

describe('a form that is configured', () => {
  const configured = (form: MessageIdForm): KnownForm => ({ configured: form });

  test.each([
    ['text', '9F3A', '9f3a', true], ['text', '40762', '9f3a', false], ['decimal', '40762', '9f3a', true],
    ['decimal', '40762', '40762', false], ['hex', '9F3A', '40762', true], ['hex', '9f3a', '9f3a', false],
  ] as const)('%s: %s is %s: %s', (form, id, answered, isFound) => {
    expect(chosen([inText(id)], [part(answered)], configured(form))).toBe(isFound ? answered : undefined);
  }); // biome-ignore format: a table

  test('the parameter may also be what the response had', () => {
    expect(chosen([inTlv('9f3a')], [part('9f3a')], configured('decimal'))).toBe('9f3a');
    expect(chosen([inTlv('40762')], [part('9f3a')], configured('decimal'))).toBe('9f3a');
  });
});

test('what a match says of the form is said only where one form explains it', () => {
  const evidence = (id: string, answered: string) => {
    const found = choosePart([inText(id)], [part(answered)], NOTHING_KNOWN);
    return found === undefined || found === 'ambiguous' ? undefined : found.evidence?.form;
  };
  expect([evidence('40762', '9f3a'), evidence('9f3a', '40762'), evidence('9F3A', '9f3a'), evidence('40762', '40762')]).toEqual([
    'decimal', 'hex', 'text', 'text',
  ]); // biome-ignore format: a list
  // 7 is 7 in every form.
  expect(evidence('7', '7')).toBeUndefined();
});

// The law of it: an SMSC that keeps to one form, and a link that knows it, never give a receipt to another message; and
// without knowing it, never where nothing but a conversion leads there.
test('a receipt is never given to another message than its own', () => {
  const forms = fc.constantFrom<MessageIdForm>('text', 'decimal', 'hex');
  const zeros = fc.integer({ min: 0, max: 3 });
  // Few ids, close together, so that they are often each other's conversions.
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 30 });
  const write = (number: number, base: 10 | 16, pad: number) => '0'.repeat(pad) + number.toString(base);
  let found = 0;
  fc.assert(
    fc.property(numbers, forms, zeros, zeros, fc.boolean(), fc.nat(), (ids, form, padAnswer, padReceipt, isUpper, pick) => {
      const answerBase = form === 'decimal' ? 16 : 10;
      const receiptBase = form === 'hex' ? 16 : 10;
      const parts = ids.map((number) => part(write(number, answerBase, padAnswer), { smsId: `sms_${number}` }));
      const own = ids[pick % ids.length] ?? 0;
      const text = write(own, receiptBase, padReceipt);
      const id = inText(isUpper ? text.toUpperCase() : text);
      for (const known of [learned(form), { configured: form } as const]) {
        const right = choosePart([id], parts, known);
        expect(right).toMatchObject({ part: { smsId: `sms_${own}` } });
      }
      const guess = choosePart([id], parts, NOTHING_KNOWN);
      if (guess === undefined || guess === 'ambiguous') return;
      found++;
      const isOwn = guess.part.smsId === `sms_${own}`;
      // The very same id is taken at its word until the link is known better.
      expect(isOwn || guess.part.smscMessageId === id.id).toBe(true);
    }),
    { numRuns: 2_000, seed: 7 },
  );
  expect(found).toBeGreaterThan(500);
});
