import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { lintPartners } from '../../src/cli/partner-lint.js';
import { loadPartners } from '../../src/partners/index.js';
import { partnerSchema } from '../../src/partners/partner-schema.js';
import { aFolder } from './folder.js';

const shipped = fileURLToPath(new URL('../../partners', import.meta.url));

async function lint(directory: string): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await lintPartners(directory, {}, (line) => {
    text += line;
  });
  return { code, text };
}

describe('causeway partner lint', () => {
  test('finds nothing wrong with what is shipped, and counts it', async () => {
    expect(await lint(shipped)).toEqual({ code: 0, text: 'ok: 3 partners, 6 markets\n' });
  });

  test('prints every problem and exits with 3', async () => {
    const folder = aFolder({ 'acme/partner.yaml': 'id: acme\n' });
    const { code, text } = await lint(folder);
    expect(code).toBe(3);
    expect(text).toContain(`${folder}/acme/partner.yaml:1: kind: is missing; fix: add it, as in _template/partner.yaml\n`);
    expect(text).toContain(`${folder}/_markets/markets.yaml: cannot be read; fix: `);
    expect(text).toMatch(/\n[0-9]+ problems\n$/);
  });
});

describe('the template', () => {
  test('is a valid partner as soon as it is copied and named', async () => {
    const folder = aFolder({});
    cpSync(join(shipped, '_markets'), join(folder, '_markets'), { recursive: true });
    cpSync(join(shipped, '_template'), join(folder, 'change-me'), { recursive: true });
    expect((await lint(folder)).text).toBe('ok: 1 partner, 1 market\n');
    writeFileSync(join(folder, 'change-me', 'partner.yaml'), '');
    expect((await lint(folder)).code).toBe(3);
  });

  test('shows and explains every field that there is', () => {
    const template = readFileSync(join(shipped, '_template', 'partner.yaml'), 'utf8');
    const absent = [...fieldNames(z.toJSONSchema(partnerSchema, { io: 'input', unrepresentable: 'any' }))].filter(
      (name) => !new RegExp(`\\b${name}\\b`).test(template),
    );
    expect(absent).toEqual([]);
  });

  test('has a sentence for every field in the schema', () => {
    const silent: string[] = [];
    (function walk(schema: unknown, path: string): void {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [key, value] of Object.entries(schema)) {
        if (key === 'properties') {
          for (const [name, property] of Object.entries(value as Record<string, { description?: string }>)) {
            if (property.description === undefined) silent.push(`${path}.${name}`);
          }
        }
        walk(value, `${path}.${key}`);
      }
    })(z.toJSONSchema(partnerSchema, { io: 'input', unrepresentable: 'any' }), '');
    expect(silent).toEqual([]);
  });
});

test('the sandbox reaches sandbox numbers only', async () => {
  const registry = await loadPartners(shipped, {});
  expect(registry.byMsisdn('+9995712345')).toMatchObject({ partner: { id: 'e-plus' }, market: { code: 'XS', dialable: true } });
  expect(registry.byMsisdn('+9998712345')).toMatchObject({ partner: { id: 'cable-and-wireless' }, market: { code: 'XS', dialable: true } });
  expect(registry.byMsisdn('+4915712345678')).toMatchObject({ partner: { id: 'e-plus' }, market: { code: 'DE', dialable: false } });
  expect(registry.byMsisdn('+18765551234')).toMatchObject({
    market: { code: 'JM', currency: 'JMD', timeZone: 'America/Jamaica', dialable: false },
  });
  expect(registry.byMsisdn('+9991234567')).toBeUndefined();
  expect(registry.hubsFor('+9991234567').map(({ id }) => id)).toEqual(['hub-sandbox']);
  expect(registry.hubsFor('+4915712345678')).toEqual([]);
});

test('one app for free was lawful in Germany when the offer began, and is not since the rulings; in the sandbox it is', async () => {
  const { policies } = await loadPartners(shipped, {});
  expect(policies.at('DE', Date.parse('2014-04-07T00:00:00Z')).policy).toBe('allowed');
  expect(policies.at('DE', Date.parse('2026-11-22T00:00:00Z'))).toMatchObject({
    policy: 'application-agnostic-only',
    since: '2021-09-02',
    legalReference: expect.stringContaining('C-854/19, C-5/20 and C-34/20') as string,
  });
  expect(policies.at('XS', Date.parse('2026-11-22T00:00:00Z')).policy).toBe('allowed');
});

test('every client may ask for scopes of the contract only', async () => {
  const contract = readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8');
  const registry = await loadPartners(shipped, {});
  for (const scope of registry.all().flatMap(({ clients }) => clients.flatMap(({ scopes }) => scopes)))
    expect(contract).toContain(`            ${scope}: `);
});

function fieldNames(schema: unknown, names = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null) return names;
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') for (const name of Object.keys(value as object)) names.add(name);
    fieldNames(value, names);
  }
  return names;
}
