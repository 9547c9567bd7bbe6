// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in partner.yaml look so
import { expect, test } from 'vitest';
import { checkPartners } from '../../src/partners/index.js';
import { acme, aFolder, PARTNER, PRODUCTION } from './folder.js';

const ENV = { ACME_PASSWORD: 'x7-90Lk' };

/** What is said about `acme` once `from` is `to`, without the folder: `3: kind: must be …`. */
async function saidOf(base: string, from: string, to: string, more: Record<string, string> = {}): Promise<string[]> {
  if (!base.includes(from)) throw new Error(`there is no ${from} to replace`);
  const folder = aFolder(acme(base.replace(from, to), more));
  const { problems } = await checkPartners(folder, ENV);
  return problems.map((problem) => problem.replace(`${folder}/acme/partner.yaml:`, ''));
}

test('the partner that the examples below break is valid by itself, in the sandbox and in production', async () => {
  expect((await checkPartners(aFolder(acme(PARTNER)), {})).problems).toEqual([]);
  expect((await checkPartners(aFolder(acme(PRODUCTION)), ENV)).problems).toEqual([]);
});

// What is replaced, by what, and the line, path and words of the one problem.
test.each([
  ['kind: operator', 'kind: carrier', '3: kind: must be one of operator, hub; fix: choose one'],
  ['name: Acme', 'name: ""', '2: name: must have at least 1 character; fix: add to it'],
  ['id: acme\n', 'id: acme2\n', '1: id: is not the name of its folder, acme; fix:'],
  ['id: acme\n', 'id: Acme\n', '1: id: must be 3 to 40 lower-case letters'],
  ['noc@acme.example', 'noc', '5: contacts.noc: must be an e-mail address; fix:'],
  ['care: care@acme.example, ', '', '5: contacts.care: is missing; fix: add it'],
  ['code: XS', 'code: ZZ', '7: markets[0].code: must be an ISO 3166 alpha-2 code'],
  ['["00101"]', '[00101]', '8: markets[0].mccMnc[0]: must be text, not a number; fix: put it in quotes'],
  ['["00101"]', '["26203"]', '8: markets[0].mccMnc[0]: does not begin with 001; fix:'],
  ['["00101"]', '["00101", "00101"]', '8: markets[0].mccMnc: names something twice; fix:'],
  ['    mccMnc: ["00101"]\n', '', '7: markets[0]: has no mccMnc; fix:'],
  ['"+99957"', '"99957"', '9: markets[0].msisdnPrefixes[0]: must be "+" and 1 to 14 digits'],
  ['["8999957"]', '["894920"]', '10: markets[0].iccidPrefixes[0]: does not begin with 8999; fix:'],
  ['currency: EUR\n    time', 'currency: DEM\n    time', '11: markets[0].currency: must be an ISO 4217 code'],
  ['Europe/Berlin', 'Berlin', '12: markets[0].timeZone: must be an IANA time zone'],
  ['Europe/Berlin', '"+01:00"', '12: markets[0].timeZone: must be an IANA time zone'],
  ['defaultLanguage: en', 'defaultLanguage: en_GB', '13: markets[0].defaultLanguage: must be a BCP 47'],
  ['defaultLanguage: en', 'defaultLanguage: de', '13: markets[0].defaultLanguage: has no templates/de.yaml; fix:'],
  ['["plans:read"]', '["plans"]', '16: clients[0].scopes[0]: must be a resource, a colon and a verb'],
  ['["plans:read"]', '["plans:read", "plan:read"]', '16: clients[0].scopes[1]: is not a scope; fix: write plans, sims,'],
  ['["plans:read"]', '["plans:publish"]', '16: clients[0].scopes[0]: is not a scope; fix:'],
  ['["plans:read"]', '["traffic-lists:publish"]', '16: clients[0].scopes[0]: is not a scope; fix:'],
  ['markets: ["XS"]', 'markets: ["DE"]', '17: clients[0].markets[0]: is not one of the markets'],
  ['markets: ["XS"]', 'keys: { secret: "abcdefghijklmnop" }', '17: clients[0].keys.secret: holds a secret in the open'],
  ['markets: ["XS"]', 'keys: { secret: "short" }', '17: clients[0].keys.secret: must be 16 to 128 characters'],
  ['markets: ["XS"]', 'keys: {}', '17: clients[0].keys: must have exactly one of jwksFile, jwksUri and secret'],
  ['markets: ["XS"]', 'keys: { jwksFile: ../x.json }', '17: clients[0].keys.jwksFile: must be a path inside this folder'],
  ['markets: ["XS"]', 'keys: { jwksFile: none.json }', '17: clients[0].keys.jwksFile: names a file that cannot be read'],
  ['from: 2026-01-01', 'from: 2026-02-30', '19: agreement.from: must be a day that exists'],
  ['from: 2026-01-01', 'from: 2026-01-01\n  until: 2025-01-01', '18: agreement: ends before it begins'],
  ['market: XS, service', 'market: JM, service', '21: agreement.rates[0].market: is not one of the markets'],
  ['amountMinor: 4,', 'amountMinor: 4.5,', '21: agreement.rates[0].amountMinor: must be a whole number'],
  [
    '  monthlyBudget',
    '    - { market: XS, service: sms-mt, unit: message, amountMinor: 1, currency: EUR }\n  monthlyBudget',
    '22: agreement.rates[1]: prices a service of a market twice',
  ],
  ['host: sandbox, port: 0', 'host: smsc.example, port: 2775', '26: smpp.links[0].sites[0].host: is a real address; fix:'],
  ['host: sandbox, port: 0', 'host: 127.0.0.1, port: 0', '26: smpp.links[0].sites[0].port: is 0'],
  ['tls: off', 'tls: maybe', '27: smpp.links[0].tls: must be off, on or a mapping; fix: choose one'],
  ['tls: off', 'tls: { cert: "-----BEGIN CERTIFICATE-----" }', '27: smpp.links[0].tls: has only one of cert and key'],
  ['tls: off', 'tls: { ca: nonsense }', '27: smpp.links[0].tls.ca: must be a PEM text'],
  ['systemId: causeway', 'systemId: causeway-of-e-plus', '28: smpp.links[0].systemId: must be 1 to 15 printable'],
  [
    '${env:ACME_PASSWORD:-sandbox}\n      window',
    '${env:ACME_NONE:-ninechars}\n      window',
    '29: smpp.links[0].password: must be 1 to 8 printable',
  ],
  ['${env:ACME_PASSWORD:-sandbox}\n      window', 'sandbox\n      window', '29: smpp.links[0].password: holds a secret in the open'],
  [
    '${env:ACME_PASSWORD:-sandbox}\n      window',
    '${env:ACME_NONE}\n      window',
    '29: smpp.links[0].password: refers to the environment variable ACME_NONE, which is not set',
  ],
  [
    '${env:ACME_PASSWORD:-sandbox}\n      window',
    '${file:none.txt}\n      window',
    '29: smpp.links[0].password: refers to the file none.txt, which cannot be read',
  ],
  [
    '${env:ACME_PASSWORD:-sandbox}\n      window',
    '${vault:x}\n      window',
    '29: smpp.links[0].password: holds a reference of an unknown form',
  ],
  ['windowSizeMax: 50', 'windowSizeMax: 5000', '30: smpp.links[0].windowSizeMax: must be at most 1000; fix: lower it'],
  ['windowSizeMax: 50', 'nationalShift: [tr, xx]', '30: smpp.links[0].nationalShift[1]: must be one of tr, es'],
  ['windowSizeMax: 50', 'nationalShift: [tr, tr]', '30: smpp.links[0].nationalShift: names something twice'],
  [
    'windowSizeMax: 50',
    'nationalShift: [tr]\n      longMessages: sar',
    '30: smpp.links[0].nationalShift: needs a user data header, which the SMSC writes here; fix:',
  ],
  [
    'windowSizeMax: 50',
    'nationalShift: [tr]\n      dataCodingDefault: latin1',
    '30: smpp.links[0].nationalShift: needs an SMSC whose default alphabet is GSM; fix:',
  ],
  [
    'windowSizeMax: 50',
    'packedSeptets: true\n      dataCodingDefault: ascii',
    '30: smpp.links[0].packedSeptets: is about GSM text only; fix:',
  ],
  ['windowSizeMax: 50', 'transliterate: true', '30: smpp.links[0].transliterate: must be one of off, signs, accents; fix:'],
  ['windowSizeMax: 50', 'windowSize: 50', '30: smpp.links[0].windowSize: is not a known name; fix:'],
  [
    '  listeners:',
    '    - { id: acme-main, sites: [{ host: sandbox, port: 0 }], systemId: b, password: "${env:ACME_PASSWORD}" }\n  listeners:',
    '31: smpp.links[1].id: is the id of another link',
  ],
  ['["127.0.0.1"]', '["localhost"]', '34: smpp.listeners[0].allowedAddresses[0]: must be an IP address'],
  ['senders: ["*"]', 'senders: ["OTHER"]', '35: smpp.listeners[0].senders[0]: is not in sms.senders'],
  ['address: "ACME"', 'address: "ACME-MOBILE-1"', '38: sms.senders[0].address: must be 1 to 11 letters'],
  ['use: [notice] }', 'use: [notice], replies: true }', '38: sms.senders[0].replies: cannot be true'],
  ['use: [notice] }', 'use: [notice], direction: both }', '38: sms.senders[0].direction: must be mt'],
  ['replies: true }', 'replies: true, direction: mt }', '39: sms.senders[1].direction: must be both'],
  ['use: [notice] }', 'use: [notice], status: on }', '38: sms.senders[0].status: must be one of active, pending, suspended, retired'],
  ['use: [notice] }', 'use: [notice], group: "A B" }', '38: sms.senders[0].group: must be up to 32 lower-case letters'],
  ['use: [notice] }', 'use: [advert] }', '38: sms.senders[0].use[0]: must be one of chat, notice, otp'],
  ['"+9995790000001"', '"+9995710000001"', '39: sms.senders[1].address: is outside the own ranges'],
  ['"+9995790000001"', '"+9998790000001"', '39: sms.senders[1].address: is outside the own ranges'],
  ['[XS], use: [chat]', '[DE], use: [chat]', '39: sms.senders[1].markets[0]: is not one of the markets'],
  ['from: "22:00"', 'from: "24:00"', '40: sms.quietHours.from: must be a time of day'],
  ['from: "22:00"', 'from: "07:00"', '40: sms.quietHours: begins and ends at the same time'],
  ['help: [HELP]', 'help: [STOP]', '41: sms.optOut: gives one word two meanings'],
  ['readPerSecond: 200', 'readPerSecond: 0', '42: rateLimits.readPerSecond: must be at least 1; fix: raise it'],
  ['mode: pull', 'mode: push', '44: zeroRating.delivery.mode: must be pull or nef'],
  ['mode: pull', 'mode: nef', '44: zeroRating.delivery.apiRoot: is missing'],
  ['mode: pull', 'mode: pull, freeze: [{ from: 2026-02-01, to: 2026-01-01 }]', '44: zeroRating.delivery.freeze[0]: ends before it begins'],
  [
    '  delivery: { mode: pull }',
    '  classes: { mesaging-text: { ratingGroup: 1, serviceId: 1 } }',
    '44: zeroRating.classes.mesaging-text: is not a known name',
  ],
  ['zeroRating:', 'colour: red\nzeroRating:', '43: colour: is not a known name'],
  ['kind: operator', 'kind: operator\nreach: ["+999"]', '4: reach: is for hubs'],
  ['environment: sandbox\n', 'environment: sandbox\nname: Twice\n', '5: is not YAML (duplicate key)'],
])('%j as %j is refused with line, path and fix', async (from, to, said) => {
  const problems = await saidOf(PARTNER, from, to);
  expect(problems.filter((problem) => problem.startsWith(said))).toHaveLength(1);
  for (const problem of problems) expect(problem).toMatch(/; fix: \S/);
  // `nef` lacks three fields at once.
  if (to !== 'mode: nef') expect(problems).toHaveLength(1);
});

test.each([
  ['tls: on', 'tls: off', '27: smpp.links[0].tls: is off without a VPN'],
  ['smsc.acme.example', 'sandbox', "26: smpp.links[0].sites[0].host: is not an operator's"],
  ['smsc.acme.example', '127.0.0.1', "26: smpp.links[0].sites[0].host: is not an operator's"],
  ['${env:ACME_PASSWORD}\n      window', '${env:ACME_NONE:-sandbox}\n      window', '29: smpp.links[0].password: has only its default'],
  ['keys: { jwksUri: "https://acme.example/jwks.json" }', 'markets: ["DE"]', '15: clients[0]: has no keys'],
  [
    'jwksUri: "https://acme.example/jwks.json"',
    'secret: "${env:ACME_SECRET:-abcdefghijklmnop}"',
    '17: clients[0].keys.secret: is for the sandbox only',
  ],
  ['"127.0.0.1"', '"0.0.0.0/0"', '34: smpp.listeners[0].allowedAddresses[0]: is everywhere'],
  [', registration: "DE-1"', '', '38: sms.senders[0]: has no registration'],
  ['"+49157"', '"+99957"', "9: markets[0].msisdnPrefixes[0]: begins with +999, which is the sandbox's"],
])('in production %j as %j is refused', async (from, to, said) => {
  const problems = await saidOf(PRODUCTION, from, to);
  expect(problems.filter((problem) => problem.startsWith(said))).toHaveLength(1);
});

test('production takes a link without TLS inside a declared VPN', async () => {
  expect(await saidOf(PRODUCTION, 'tls: on', 'tls: off\n      vpn: true')).toEqual([]);
});

test('production has no sandbox market', async () => {
  expect(await saidOf(PARTNER, 'environment: sandbox', 'environment: production')).toContainEqual(
    expect.stringMatching(/^7: markets\[0\]\.code: is the sandbox market; fix: /),
  );
});

test('a hub has a reach and no subscribers', async () => {
  const problems = await saidOf(PARTNER, 'kind: operator', 'kind: hub');
  expect(problems.map((problem) => problem.split('; ')[0])).toEqual([
    '3: kind: is hub, and reach is empty',
    '8: markets[0].mccMnc: is for operators, a hub has no subscribers',
    '9: markets[0].msisdnPrefixes: is for operators, a hub has no subscribers',
    '10: markets[0].iccidPrefixes: is for operators, a hub has no subscribers',
  ]);
});

test('what is wrong in one section does not hide what is wrong in another', async () => {
  const broken = PARTNER.replace('noc@acme.example', 'noc')
    .replace('windowSizeMax: 50', 'windowSizeMax: 0')
    .replace('id: acme\n', 'id: other\n');
  const problems = await saidOf(broken, '"+9995790000001"', '"+9995710000001"');
  expect(problems.map((problem) => problem.split(':')[0])).toEqual(['1', '5', '30', '39']);
});

test('no error repeats a secret', async () => {
  const hidden = 'hunter2-is-far-too-long';
  const problems = [
    ...(await saidOf(PARTNER, '${env:ACME_PASSWORD:-sandbox}\n      window', `\${env:ACME_NONE:-${hidden}}\n      window`)),
    ...(await saidOf(PARTNER, 'markets: ["XS"]', `keys: { secret: "${hidden}" }`)),
    ...(await saidOf(PARTNER, 'markets: ["XS"]', `keys: { secret: ["${hidden}"] }`)),
  ];
  expect(problems.length).toBeGreaterThanOrEqual(3);
  expect(problems.join('\n')).not.toContain(hidden);
});

test('a private key in a key set is refused', async () => {
  const jwks = (key: object) => ({ 'acme/keys/a.jwks.json': JSON.stringify({ keys: [{ kty: 'EC', kid: 'a', ...key }] }) });
  const change = ['markets: ["XS"]', 'keys: { jwksFile: keys/a.jwks.json }'] as const;
  expect(await saidOf(PARTNER, ...change, jwks({ crv: 'P-256', x: 'x', y: 'y' }))).toEqual([]);
  expect(await saidOf(PARTNER, ...change, jwks({ d: 'hunter2' }))).toEqual([
    expect.stringContaining('17: clients[0].keys.jwksFile: names a file with a private key'),
  ]);
  expect(await saidOf(PARTNER, ...change, jwks({ kid: 7 }))).toEqual([expect.stringContaining('is not a key set')]);
});

test('YAML that nests without end or refers to itself is one problem, not a crash', async () => {
  const bombs = ['a: '.padEnd(200_000, '['), 'a: &a [*a]', `a: ${'x'.repeat(1_100_000)}`];
  for (const bomb of bombs) {
    const { problems } = await checkPartners(aFolder(acme(bomb)), {});
    expect(problems.length).toBeGreaterThan(0);
  }
});

test("no partner takes the name of the messaging company's own clients, whose tokens may publish lists", async () => {
  const files = Object.entries(acme(PARTNER.replace('id: acme\n', 'id: platform\n')));
  const folder = aFolder(Object.fromEntries(files.map(([path, text]) => [path.replace('acme/', 'platform/'), text])));
  const { problems } = await checkPartners(folder, ENV);
  expect(problems).toEqual([
    `${folder}/platform/partner.yaml:1: id: is the name of the messaging company's own clients; fix: choose another one`,
  ]);
});
