import { generateKeyPairSync } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import jwt from 'jsonwebtoken';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CERT, KEY } from '../smpp/certificate.js';
import { createPlace, type Place, PROCESS_TEST_MS_MAX, ROOT } from './program.js';

vi.setConfig({ testTimeout: PROCESS_TEST_MS_MAX });

let place: Place;
beforeEach(async () => {
  place = await createPlace();
});
afterEach(() => place.leave());

test('a client whose partner.yaml has a jwksUri gets its token with the key that is published there', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publisher = createServer({ cert: CERT, key: KEY }, (_, response) =>
    response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }] })),
  );
  await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve));
  try {
    const uri = `https://127.0.0.1:${(publisher.address() as AddressInfo).port}/jwks.json`;
    const partners = join(place.folder, 'partners');
    cpSync(join(ROOT, 'partners'), partners, { recursive: true });
    const file = join(partners, 'e-plus', 'partner.yaml');
    const client = `clients:\n  - { id: e-plus-signed, scopes: ["plans:read"], keys: { jwksUri: "${uri}" } }\n`;
    writeFileSync(file, readFileSync(file, 'utf8').replace('clients:\n', client));
    const authority = join(place.folder, 'authority.pem');
    writeFileSync(authority, CERT);
    const url = await place.start({ CAUSEWAY_PARTNERS_DIR: partners, NODE_EXTRA_CA_CERTS: authority }).url();

    const now = Math.floor(Date.now() / 1_000);
    const claims = { iss: 'e-plus-signed', sub: 'e-plus-signed', aud: url, iat: now, exp: now + 60, jti: 'the-first' };
    const answer = await fetch(`${url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: jwt.sign(claims, privateKey, { algorithm: 'ES256', keyid: 'one' }),
      }),
    });
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ scope: 'plans:read' })]);
  } finally {
    publisher.closeAllConnections();
    await new Promise<void>((resolve) => publisher.close(() => resolve()));
  }
});
