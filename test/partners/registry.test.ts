// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in partner.yaml look so
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { ConfigurationError } from '../../src/config/index.js';
import { checkPartners, loadPartners } from '../../src/partners/index.js';
import { acme, aFolder, MARKETS, NOTICES, PARTNER, PRODUCTION } from './folder.js';

/** `acme` under another name, so that only what is not changed collides. */
const second = PARTNER.replaceAll('acme', 'bolt').replaceAll('57"', '58"').replaceAll('+99957', '+99958');

const two = (other: string) => aFolder(acme(PARTNER, { 'bolt/partner.yaml': other, 'bolt/templates/en.yaml': NOTICES }));

test('defaults are filled in', async () => {
  const registry = await loadPartners(aFolder(acme(PARTNER)), {});
  const partner = registry.get('acme');
  expect(partner).toMatchObject({
    authority: { sims: 'operator', subscriptions: 'operator', balances: 'operator' },
    reach: [],
    agreement: { fallbackPayer: 'platform', rates: [{ chargeable: 'accepted' }] },
    rateLimits: { readPerSecond: 200, writePerSecond: 100, tokenPerMinute: 60 },
    sms: { capPerRecipientPerDay: 20 },
    zeroRating: { classes: {}, delivery: { mode: 'pull', leadTimeDays: 10, freeze: [] } },
    provisioning: { esim: 'none' },
    clients: [{ id: 'acme-app', keys: { kind: 'created' }, markets: ['XS'] }],
  });
  expect(registry.link('acme', 'acme-main')?.link).toMatchObject({
    binds: 2,
    bindType: 'transceiver',
    responseTimeoutMs: 10_000,
    destination: { ton: 1, npi: 1 },
  });
  expect(registry.listener('acme-esme')?.account.bindTypes).toEqual(['transceiver', 'transmitter', 'receiver']);
});

test('a secret is revealed where it is asked for, and prints nowhere', async () => {
  const registry = await loadPartners(aFolder(acme(PARTNER)), { ACME_PASSWORD: 'hunter2' });
  const password = registry.link('acme', 'acme-main')?.link.password;
  expect(password?.reveal()).toBe('hunter2');
  const printed = `${JSON.stringify(registry.all())} ${inspect(registry.all(), { depth: 9 })} ${String(password)}`;
  expect(printed).toContain('[secret]');
  expect(printed).not.toContain('hunter2');
});

test('a file reference is read from the folder of the partner, without the line break at its end', async () => {
  const partner = PARTNER.replace('${env:ACME_PASSWORD:-sandbox}', '${file:password.txt}');
  const registry = await loadPartners(aFolder(acme(partner, { 'acme/password.txt': 's3cret\n' })), {});
  expect(registry.link('acme', 'acme-main')?.link.password.reveal()).toBe('s3cret');
});

test('a number and a card belong to the longest prefix', async () => {
  const registry = await loadPartners(two(second.replace('["+99958"]', '["+99958", "+999571"]')), {});
  expect(registry.byMsisdn('+9995701')?.partner.id).toBe('acme');
  expect(registry.byMsisdn('+9995712')?.partner.id).toBe('bolt');
  expect(registry.byMsisdn('+49157123456')).toBeUndefined();
  expect(registry.byIccid('8999958000000000001')?.partner.id).toBe('bolt');
  expect(registry.byIccid('8949')).toBeUndefined();
});

test('clients, links, accounts and senders are found with their partner, and strangers are not', async () => {
  const registry = await loadPartners(two(second), {});
  expect(registry.all().map(({ id }) => id)).toEqual(['acme', 'bolt']);
  expect(registry.client('bolt-app')?.partner.id).toBe('bolt');
  expect(registry.client('nobody')).toBeUndefined();
  expect(registry.link('acme', 'bolt-main')).toBeUndefined();
  expect(registry.listener('bolt-esme')?.partner.id).toBe('bolt');
  expect(registry.sender('acme', '+9995790000001')?.sender.replies).toBe(true);
  expect(registry.sender('bolt', '+9995790000001')).toBeUndefined();
  expect(registry.market('acme', 'XS')?.currency).toBe('EUR');
  expect(registry.market('acme', 'DE')).toBeUndefined();
});

test.each([
  ['+99958"]', '+99957"]', 9, 'markets[0].msisdnPrefixes[0]'],
  ['8999958', '8999957', 10, 'markets[0].iccidPrefixes[0]'],
  ['bolt-app', 'acme-app', 15, 'clients[0].id'],
  ['bolt-esme', 'acme-esme', 32, 'smpp.listeners[0].systemId'],
])('%s of one partner cannot be %s, which another has', async (from, to, line, path) => {
  const folder = two(second.replace(from, to));
  const { problems } = await checkPartners(folder, {});
  const said = `${folder}/bolt/partner.yaml:${line}: ${path}: is taken at ${folder}/acme/partner.yaml:${line}; fix: let one of them have it`;
  expect(problems).toContain(said);
});

test('the errors of all files are told at once, in the order of files and lines', async () => {
  const folder = aFolder({
    '_markets/markets.yaml': MARKETS.replace('2021-09-02', '1999-01-01'),
    'acme/partner.yaml': PARTNER.replace('kind: operator', 'kind: x'),
    'acme/templates/en.yaml': NOTICES.replace('help: "Help."', 'help: "Help {name}."'),
    'bolt/partner.yaml': 'a: [',
    'none/README.md': 'nothing',
  });
  const failure = await loadPartners(folder, {}).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConfigurationError);
  expect((failure as ConfigurationError).problems.map((problem) => problem.replace(`${folder}/`, '').split('; ')[0])).toEqual([
    '_markets/markets.yaml:10: markets.DE.zeroRating: is not in the order of its days',
    'acme/partner.yaml:3: kind: must be one of operator, hub',
    'acme/templates/en.yaml:4: help: is not an ICU message, or uses an argument',
    expect.stringMatching(/^bolt\/partner\.yaml:\d: is not YAML/),
    'none/partner.yaml: cannot be read',
  ]);
});

test.each([
  [{}, 'is production, and this gateway is sandbox', PRODUCTION],
  [{ CAUSEWAY_ENV: 'production' }, 'is sandbox, and this gateway is production', PARTNER],
])('a gateway serves partners of its own environment only: %j', async (env, said, partner) => {
  await expect(loadPartners(aFolder(acme(partner)), { ACME_PASSWORD: 'x7-90Lk', ...env })).rejects.toThrow(said);
});

test('a market without a policy is refused', async () => {
  const markets = MARKETS.replace('  XS:', '  JM:');
  const folder = aFolder(acme(PARTNER, { '_markets/markets.yaml': markets }));
  expect((await checkPartners(folder, {})).problems).toEqual([
    `${folder}/acme/partner.yaml:7: markets[0].code: has no market policy; fix: write it in _markets/markets.yaml`,
  ]);
});

test('no folder, and a folder without partners, are said plainly', async () => {
  await expect(loadPartners(aFolder({ '_template/partner.yaml': '' }), {})).rejects.toThrow('holds no partner');
  await expect(loadPartners('no-such-folder', {})).rejects.toThrow('no-such-folder: cannot be read; fix: set CAUSEWAY_PARTNERS_DIR');
});
