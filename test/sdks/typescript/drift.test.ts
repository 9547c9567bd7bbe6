import { expect, test } from 'vitest';
import { driftedSdks, typeErrors } from '../../../tools/generate-sdks.mjs';

test('what is committed is what the contract makes, and it compiles under strict options', () => {
  expect(driftedSdks()).toEqual([]);
  expect(typeErrors()).toBe('');
}, 60_000);
