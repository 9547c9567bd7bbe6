import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { behaviourOf, dialable, magicNumbers } from '../../src/sandbox/magic-numbers.js';

test('every magic number works in both operators ranges, with zero to three digits before the suffix', () => {
  for (const { suffix, name } of magicNumbers) {
    for (const own of ['+999579', '+999879', '999579']) {
      for (const free of ['', '0', '42', '123']) expect(behaviourOf(`${own}${free}${suffix}`)).toBe(name);
    }
  }
});

test('outside the own ranges no number is magic, and neither are the senders of the sandbox', () => {
  for (const number of ['+9995710000101', '+9998710000104', '+9995790000001', '+9998790000001', '+99957912340001011', '+4917000000101']) {
    expect(behaviourOf(number)).toBe('delivered');
  }
});

test('the sandbox dials its own ranges only', () => {
  expect(['+999571', '999571234567', '+999871234567890'].map(dialable)).toEqual([true, true, true]);
  expect(['+4917012345', '+99956123', '+99957', '+9995712345678901', '++999571', '+999571 2', ''].some(dialable)).toBe(false);
});

test('docs/partners/sandbox.md lists exactly these numbers with these meanings', () => {
  const page = readFileSync(new URL('../../docs/partners/sandbox.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(0001\d\d)` \| (\w+) \| (\w+) \| (.+) \|$/gm)].map(([, suffix, name, area, meaning]) => ({
    suffix,
    name,
    area,
    meaning,
  }));
  expect(rows).toEqual(magicNumbers.map(({ suffix, name, area, meaning }) => ({ suffix, name, area, meaning })));
});
