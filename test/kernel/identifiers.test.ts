import { describe, expect, test } from 'vitest';
import { isGatewayError } from '../../src/kernel/errors.js';
import { luhnDigit, parseIccid } from '../../src/kernel/iccid.js';
import { ID_PREFIXES, isId, newId } from '../../src/kernel/ids.js';
import { parseImsi } from '../../src/kernel/imsi.js';
import { maskMsisdn, parseMsisdn } from '../../src/kernel/msisdn.js';

/** Why it was refused; fails when it was not. */
function refusal(parse: () => unknown): { code: string; pointer: string | undefined; words: string } {
  try {
    parse();
  } catch (failure) {
    if (!isGatewayError(failure)) throw failure;
    return { code: failure.code, pointer: failure.errors?.[0]?.pointer, words: `${failure.message} ${JSON.stringify(failure.errors)}` };
  }
  throw new Error('it was taken');
}

describe('ids', () => {
  test('are a prefix and 26 characters of Crockford base 32, and no two are alike', () => {
    const ids = Array.from({ length: 10_000 }, () => newId('ord', 1_795_341_600_000));
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^ord_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(new Set(ids).size).toBe(10_000);
  });

  test('sort by the millisecond of their making, for a thousand years', () => {
    const instants = [0, 1, 31, 32, 1_795_341_600_000, 1_795_341_600_001, 2 ** 45, 2 ** 48 - 1];
    const ids = instants.map((at) => newId('evt', at));
    expect([...ids].sort()).toEqual(ids);
  });

  test('are recognised with their own prefix only', () => {
    expect(ID_PREFIXES).toHaveLength(new Set(ID_PREFIXES).size);
    const id = newId('sim', 5);
    expect(isId('sim', id)).toBe(true);
    for (const other of [id.replace('sim', 'sub'), id.toUpperCase(), `${id}0`, id.slice(0, -1), id.replace(/.$/, 'u'), ` ${id}`]) {
      expect(isId('sim', other)).toBe(false);
    }
  });
});

describe('ICCID', () => {
  test.each([
    ['896588081210001114', '6'],
    ['894900000000000001', '8'],
    ['8949220012345678901', '6'],
  ])('the Luhn digit of %s is %s', (digits, digit) => {
    expect(luhnDigit(digits)).toBe(digit);
    expect(parseIccid(digits + digit, '/iccid')).toBe(digits + digit);
  });

  test('any single wrong digit is noticed', () => {
    const right = '8965880812100011146';
    for (let at = 2; at < right.length; at++) {
      for (let wrong = 0; wrong < 10; wrong++) {
        if (String(wrong) === right[at]) continue;
        expect(() => parseIccid(right.slice(0, at) + wrong + right.slice(at + 1), '/iccid')).toThrow();
      }
    }
  });

  test('the pad nibble is taken off; 18 digits have no check digit', () => {
    expect(parseIccid('8965880812100011146F', '/iccid')).toBe('8965880812100011146');
    expect(parseIccid('8965880812100011146f', '/iccid')).toBe('8965880812100011146');
    expect(parseIccid('896588081210001114', '/iccid')).toBe('896588081210001114');
  });

  test.each([
    '',
    '89',
    '8865880812100011146',
    '89658808121000111',
    '896588081210001114600',
    '8965880812100011146FF',
    '８９65880812100011146',
    '8965880812100011146\n',
  ])('refused, naming the field and not the number: %j', (text) => {
    const { code, pointer, words } = refusal(() => parseIccid(text, '/sims/3/iccid'));
    expect([code, pointer]).toEqual(['INVALID_ARGUMENT', '/sims/3/iccid']);
    if (text.length > 4) expect(words).not.toContain(text);
  });
});

describe('IMSI', () => {
  test.each(['00101000000012', '001010000000123', '262031234567890'])('taken: %s', (imsi) => expect(parseImsi(imsi, '/imsi')).toBe(imsi));
  test.each(['', '0010100000001', '0010100000001234', '00101000000012x', '+01010000000123', '001010000000123\n'])('refused: %j', (text) => {
    const { code, pointer, words } = refusal(() => parseImsi(text, '/imsi'));
    expect([code, pointer]).toEqual(['INVALID_ARGUMENT', '/imsi']);
    if (text.length > 4) expect(words).not.toContain(text);
  });
});

describe('MSISDN', () => {
  test.each(['+49157', '+9995790000123', '+999879000101', '+123456789012345'])('taken: %s', (msisdn) =>
    expect(parseMsisdn(msisdn, '/msisdn')).toBe(msisdn),
  );
  test.each([
    '',
    '+',
    '+1234',
    '+0995790000123',
    '9995790000123',
    '+1234567890123456',
    '+999 5790000123',
    '+99957900001a3',
    '+9995790000123\n',
  ])('refused: %j', (text) => {
    const { code, pointer, words } = refusal(() => parseMsisdn(text, '/items/0/msisdn'));
    expect([code, pointer]).toEqual(['INVALID_ARGUMENT', '/items/0/msisdn']);
    if (text.length > 4) expect(words).not.toContain(text);
  });

  test('what a person may see keeps five digits at the most', () => {
    expect(maskMsisdn('+9995790000123')).toBe('+999••••••••23');
    for (const msisdn of ['+49157', '+1234567', '+123456789012345'])
      expect(maskMsisdn(msisdn).replace(/\D/g, '').length).toBeLessThanOrEqual(5);
  });
});
