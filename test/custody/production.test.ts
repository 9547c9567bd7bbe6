import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPlace, linesOf, type Place, PROCESS_TEST_MS_MAX, ROOT } from '../process/program.js';

vi.setConfig({ testTimeout: PROCESS_TEST_MS_MAX });

let place: Place;
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.leave());

const PARTNER = `
id: acme
name: Acme Mobile
kind: operator
environment: production
contacts: { noc: noc@acme.example, care: care@acme.example, finance: finance@acme.example }
markets:
  - code: JM
    mccMnc: ["338050"]
    msisdnPrefixes: ["+1876"]
    iccidPrefixes: ["8918760"]
    currency: JMD
    timeZone: America/Jamaica
    defaultLanguage: en
clients:
  - id: acme-backoffice
    scopes: ["plans:read"]
    keys: { jwksFile: keys/backoffice.jwks.json }
agreement:
  from: 2026-01-01
  rates: [{ market: JM, service: sms-mt, unit: segment, amountMinor: 5, currency: JMD, chargeable: accepted }]
  fallbackPayer: platform
  monthlyBudget: { amountMinor: 100000, currency: JMD }
`;
const LINKS = `
smpp:
  links:
    - { id: acme-main, sites: [{ host: smsc.acme.example, port: 2775 }], tls: on, bindType: transceiver, binds: 2, systemId: causeway, password: "\${env:ACME_PASSWORD}" }
`;

/** Variables and a partners folder that production takes, but for what the test adds. */
function production(partner: string): Record<string, string> {
  const folder = join(place.folder, 'partners');
  cpSync(join(ROOT, 'partners', '_markets'), join(folder, '_markets'), { recursive: true });
  cpSync(join(ROOT, 'partners', '_template', 'templates'), join(folder, 'acme', 'templates'), { recursive: true });
  mkdirSync(join(folder, 'acme', 'keys'));
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  writeFileSync(
    join(folder, 'acme/keys/backoffice.jwks.json'),
    JSON.stringify({ keys: [{ ...key, kid: 'one', alg: 'ES256', use: 'sig' }] }),
  );
  writeFileSync(join(folder, 'acme', 'partner.yaml'), partner.trimStart());
  return {
    CAUSEWAY_ENV: 'production',
    CAUSEWAY_PUBLIC_URL: 'https://gateway.example',
    CAUSEWAY_ORIGIN_TEXT: 'https://text.example',
    CAUSEWAY_ORIGIN_MEDIA: 'https://media.example',
    CAUSEWAY_ORIGIN_CALLS: 'https://calls.example',
    CAUSEWAY_PARTNERS_DIR: folder,
  };
}

async function refusal(variables: Record<string, string>): Promise<string[]> {
  const program = place.start(variables);
  expect(await program.ended).toEqual({ code: 1, signal: null });
  return linesOf(program.output());
}

test('production refuses the password that every example has, although it came by a reference, and never repeats it', async () => {
  mkdirSync(place.keysDir);
  writeFileSync(join(place.keysDir, 'master.key'), randomBytes(32).toString('base64url'), { mode: 0o600 });
  const variables = production(PARTNER + LINKS.trimStart());
  expect(await refusal({ ...variables, ACME_PASSWORD: 'changeme' })).toEqual([
    expect.stringMatching(/^acme\/partner\.yaml: the password of the link acme-main is a default one; fix: (?!.*changeme)/),
  ]);
});

test('production refuses data that a sandbox made', async () => {
  const sandbox = place.start();
  await sandbox.url();
  sandbox.child.kill('SIGTERM');
  await sandbox.ended;
  expect(await refusal(production(PARTNER))).toEqual([expect.stringMatching(/^The database holds clients that a sandbox made; fix: /)]);
});
