import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestGateway, type TestGateway } from '../fakes/gateway.js';

export interface InteropGateway extends TestGateway {
  /** Where ESMEs bind. */
  readonly esmePort: number;
  /** An SMS from a handset, by the simulated SMSC. */
  fromHandset(message: { from: string; to: string; text: string }): Promise<void>;
  /** What handsets have got, the oldest first. */
  onHandsets(): Promise<{ to: string; from: string; text: string }[]>;
}

/** Accounts whose ESMEs read message ids otherwise: `msg-id-type` 1, 2 and 3 of Kannel. */
export const ACCOUNTS = {
  'esme-hex-dec': '{ response: hex, receipt: decimal }',
  'esme-dec-hex': '{ response: decimal, receipt: hex }',
  'esme-hex-hex': '{ response: hex, receipt: hex }',
} as const;

export const SENDER = '+9995790000001';

export interface InteropOptions {
  /** Changes e-plus/partner.yaml, which neither sleeps nor counts here. */
  partner?: (yaml: string) => string;
}

/** The whole gateway in real time, with more accounts for ESMEs. */
export async function startInteropGateway({ partner = (yaml) => yaml }: InteropOptions = {}): Promise<InteropGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-interop-'));
  const partners = join(folder, 'partners');
  cpSync(fileURLToPath(new URL('../../partners', import.meta.url)), partners, { recursive: true });
  const file = join(partners, 'e-plus', 'partner.yaml');
  // Under letters alone, so that what handsets write is for the account that the sandbox ships.
  const accounts = Object.entries(ACCOUNTS).map(
    ([systemId, messageIds]) =>
      `    - { systemId: ${systemId}, password: "\${env:EPLUS_ESME_PASSWORD:-sandbox}", allowedAddresses: ["127.0.0.1"], senders: ["CAUSEWAY"], messageIds: ${messageIds} }\n`,
  );
  const yaml = readFileSync(file, 'utf8')
    .replace(/^ {2}quietHours: .*\n/m, '')
    .replace(/^ {2}capPerRecipientPerDay: .*$/m, '  capPerRecipientPerDay: 1000')
    .replace(/^sms:\n/m, `${accounts.join('')}sms:\n`);
  writeFileSync(file, partner(yaml));
  const gateway = await startTestGateway({ env: { CAUSEWAY_PARTNERS_DIR: partners } });
  const api = await gateway.as();
  return {
    ...gateway,
    esmePort: Number(gateway.esmeListener.split(':').at(-1)),
    async fromHandset(message) {
      const { status, text } = await api.post('/v1/sandbox/inbound-sms', message);
      if (status !== 202) throw new Error(`${status} ${text}`);
    },
    async onHandsets() {
      const { body } = await api.get('/v1/sandbox/sms-messages?limit=200');
      return body.items.map(({ to, from, text }: Record<'to' | 'from' | 'text', string>) => ({ to, from, text }));
    },
    async close() {
      await gateway.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
