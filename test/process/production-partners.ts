import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './program.js';

/** partner.yaml of one operator as production takes it: proven by its keys, without links. */
export const PRODUCTION_PARTNER = `
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

/** Writes a partners folder below `place` with that operator alone, and returns its path. */
export function writeProductionPartners(place: string, partner: string = PRODUCTION_PARTNER): string {
  const folder = join(place, 'partners');
  cpSync(join(ROOT, 'partners', '_markets'), join(folder, '_markets'), { recursive: true });
  cpSync(join(ROOT, 'partners', '_template', 'templates'), join(folder, 'acme', 'templates'), { recursive: true });
  mkdirSync(join(folder, 'acme', 'keys'));
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  writeFileSync(
    join(folder, 'acme', 'keys', 'backoffice.jwks.json'),
    JSON.stringify({ keys: [{ ...key, kid: 'one', alg: 'ES256', use: 'sig' }] }),
  );
  writeFileSync(join(folder, 'acme', 'partner.yaml'), partner.trimStart());
  return folder;
}
