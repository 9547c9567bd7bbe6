import { expect, test } from 'vitest';
import { explain } from '../../src/cli/explain.js';
import { STATUS_WORDS } from '../../src/cli/smpp-status-words.js';
import { ERROR_CODES } from '../../src/kernel/error-codes.js';
import { STATUS } from '../../src/smpp/index.js';

function asked(code: string): { exit: number; said: string } {
  const said: string[] = [];
  const exit = explain({ write: (text) => void said.push(text) }, code);
  return { exit, said: said.join('') };
}

test.each(Object.keys(ERROR_CODES))('%s prints its page, in any case', (code) => {
  expect(asked(code)).toEqual({ exit: 0, said: expect.stringContaining(`# ${code}\n`) });
  expect(asked(code.toLowerCase()).exit).toBe(0);
});

test.each(Object.entries(STATUS))('%s is found by name, short name, number and hexadecimal number', (name, value) => {
  const shown = asked(name);
  expect(shown).toEqual({ exit: 0, said: expect.stringContaining(STATUS_WORDS[name as keyof typeof STATUS]) });
  for (const form of [name.toLowerCase(), name.replace('ESME_', ''), String(value), `0x${value.toString(16)}`])
    expect(asked(form)).toEqual(shown);
});

test('a number of the vendor’s range is said to be one', () => {
  expect(asked('0x41a')).toEqual({ exit: 0, said: expect.stringContaining('vendor') });
});

test.each([
  ['IDEMPOTENCY.KEY_RESUED', 'IDEMPOTENCY.KEY_REUSED'],
  ['ESME_RTHROTLED', 'ESME_RTHROTTLED'],
  ['locked', 'STORE.LOCKED'],
])('%s is near %s', (wrong, right) => {
  expect(asked(wrong)).toEqual({ exit: 3, said: expect.stringContaining(right) });
});

test.each(['', 'nothing-like-it', '0xffffff', '../../package', `${'x'.repeat(5_000)}`])('%j is nothing: exit code 3', (code) => {
  const { exit, said } = asked(code);
  expect(exit).toBe(3);
  expect(said.length).toBeLessThan(1_000);
});
