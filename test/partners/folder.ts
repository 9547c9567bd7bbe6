import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Files by path, in a folder of its own that goes when the test ends. */
export function aFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-partners-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

export const MARKETS = `markets:
  XS:
    name: Sandbox
    timeZone: Europe/Berlin
    zeroRating:
      - { since: 2000-01-01, policy: allowed, legalReference: none }
  DE:
    name: Germany
    timeZone: Europe/Berlin
    zeroRating:
      - { since: 2000-01-01, policy: allowed, legalReference: none }
      - { since: 2021-09-02, policy: application-agnostic-only, legalReference: "CJEU C-854/19" }
`;

export const NOTICES = `notice: "{senderName} wrote. Ref {ref}"
stopConfirmed: "Stopped."
startConfirmed: "Started."
help: "Help."
`;

/** A partner that is valid, one field a line, so that a test can replace a line and expect its number. */
export const PARTNER = `id: acme
name: Acme
kind: operator
environment: sandbox
contacts: { noc: noc@acme.example, care: care@acme.example, finance: finance@acme.example }
markets:
  - code: XS
    mccMnc: ["00101"]
    msisdnPrefixes: ["+99957"]
    iccidPrefixes: ["8999957"]
    currency: EUR
    timeZone: Europe/Berlin
    defaultLanguage: en
clients:
  - id: acme-app
    scopes: ["plans:read"]
    markets: ["XS"]
agreement:
  from: 2026-01-01
  rates:
    - { market: XS, service: sms-mt, unit: segment, amountMinor: 4, currency: EUR }
  monthlyBudget: { amountMinor: 1000, currency: EUR }
smpp:
  links:
    - id: acme-main
      sites: [{ host: sandbox, port: 0 }]
      tls: off
      systemId: causeway
      password: \${env:ACME_PASSWORD:-sandbox}
      windowSizeMax: 50
  listeners:
    - systemId: acme-esme
      password: \${env:ACME_PASSWORD:-sandbox}
      allowedAddresses: ["127.0.0.1"]
      senders: ["*"]
sms:
  senders:
    - { address: "ACME", type: alphanumeric, markets: [XS], use: [notice] }
    - { address: "+9995790000001", type: number, markets: [XS], use: [chat], replies: true }
  quietHours: { from: "22:00", to: "07:00", classes: [notice] }
  optOut: { stop: [STOP], start: [START], help: [HELP] }
rateLimits: { readPerSecond: 200 }
zeroRating:
  delivery: { mode: pull }
`;

/** The same, as production wants it; the market is DE. */
export const PRODUCTION = PARTNER.replace('environment: sandbox', 'environment: production')
  .replace('code: XS', 'code: DE')
  .replaceAll('"XS"', '"DE"')
  .replaceAll('[XS]', '[DE]')
  .replace('market: XS', 'market: DE')
  .replace('"00101"', '"26203"')
  .replace('"+99957"', '"+49157"')
  .replace('"8999957"', '"894920"')
  .replace('markets: ["DE"]', 'keys: { jwksUri: "https://acme.example/jwks.json" }')
  .replace('{ host: sandbox, port: 0 }', '{ host: smsc.acme.example, port: 2775 }')
  .replace('tls: off', 'tls: on')
  .replaceAll(':-sandbox}', '}')
  .replace('"+9995790000001"', '"+4915790000001"')
  .replace('use: [notice] }', 'use: [notice], registration: "DE-1" }')
  .replace('replies: true }', 'replies: true, registration: "DE-2" }');

/** A folder with one partner, `acme`. */
export const acme = (partner: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  '_markets/markets.yaml': MARKETS,
  'acme/partner.yaml': partner,
  'acme/templates/en.yaml': NOTICES,
  ...more,
});
