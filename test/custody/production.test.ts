import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PRODUCTION_PARTNER, writeProductionPartners } from '../process/production-partners.js';
import { createPlace, linesOf, type Place, PROCESS_TEST_MS_MAX } from '../process/program.js';

vi.setConfig({ testTimeout: PROCESS_TEST_MS_MAX });

let place: Place;
beforeEach(async () => {
  place = await createPlace();
});
afterEach(() => place.leave());

const LINKS = `
smpp:
  links:
    - { id: acme-main, sites: [{ host: smsc.acme.example, port: 2775 }], tls: on, bindType: transceiver, binds: 2, systemId: causeway, password: "\${env:ACME_PASSWORD}" }
`;

/** Variables and a partners folder that production takes, but for what the test adds. */
function production(partner: string): Record<string, string> {
  const folder = writeProductionPartners(place.folder, partner);
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
  const variables = production(PRODUCTION_PARTNER + LINKS.trimStart());
  expect(await refusal({ ...variables, ACME_PASSWORD: 'changeme' })).toEqual([
    expect.stringMatching(/^acme\/partner\.yaml: the password of the link acme-main is a default one; fix: (?!.*changeme)/),
  ]);
});

test('production refuses data that a sandbox made', async () => {
  const sandbox = place.start();
  await sandbox.url();
  sandbox.child.kill('SIGTERM');
  await sandbox.ended;
  expect(await refusal(production(PRODUCTION_PARTNER))).toEqual([
    expect.stringMatching(/^The database holds clients that a sandbox made; fix: /),
  ]);
});
