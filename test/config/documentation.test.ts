import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { printConfigurationPage, printEnvExample, readConfig } from '../../src/config/index.js';

const root = new URL('../../', import.meta.url);
const committed = (path: string) => readFileSync(new URL(path, root), 'utf8');

// When one of these fails: node tools/build.mjs && node tools/print-configuration.mjs
test('docs/configuration.md is what the schema prints', () => {
  expect(committed('docs/configuration.md')).toBe(printConfigurationPage());
});

test('.env.example is what the schema prints', () => {
  expect(committed('.env.example')).toBe(printEnvExample());
});

test('every line of .env.example, taken over as it is, gives the defaults', () => {
  const env = Object.fromEntries(
    [...printEnvExample().matchAll(/^#(CAUSEWAY_[A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  expect(Object.keys(env)).toHaveLength(18);
  expect(readConfig(env)).toEqual(readConfig({}));
});
