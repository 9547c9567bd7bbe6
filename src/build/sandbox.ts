import { ConfigurationError } from '../config/index.js';
import { type Identity, PARTNER_SCOPES } from '../identity/index.js';
import type { Partner, PartnerRegistry } from '../partners/index.js';
import {
  ensureCredentials,
  type PartnerCredentialsRequest,
  type SandboxSmsc,
  type SharedSmsc,
  type SmscAccount,
} from '../sandbox/index.js';
import type { Store } from '../store/index.js';
import { type EsmeListener, esmeCredentials } from './esme-listener.js';

/** Who signs in to the sandbox's portal; the password is in the credentials file. */
const SANDBOX_EMAIL = 'operator@sandbox.example';

export interface SandboxAccounts {
  dataDir: string;
  publicUrl: string;
  partners: PartnerRegistry;
  identity: Identity;
  ensureUser(user: { email: string; password: string; role: 'platform' }): Promise<void>;
  esmeListener: EsmeListener;
}

/** The demo partners' clients and the portal's user, their secrets in the credentials file first. */
export async function openSandboxAccounts(accounts: SandboxAccounts): Promise<void> {
  const { dataDir, publicUrl, partners, identity, ensureUser, esmeListener } = accounts;
  const wanted = partners.all().flatMap((partner) => credentialsRequest(partner, esmeListener));
  const credentials = ensureCredentials(dataDir, wanted, { url: `${publicUrl}/portal`, email: SANDBOX_EMAIL });
  await ensureUser({ ...credentials.portal, role: 'platform' });
  for (const [partnerId, { clientId, clientSecret }] of Object.entries(credentials.partners)) {
    await identity.ensureSandboxClient({ clientId, partnerId, scopes: PARTNER_SCOPES, secret: clientSecret });
  }
}

/** A partner's client whose secret the sandbox makes, if it has one. */
function credentialsRequest(partner: Partner, listener: EsmeListener): PartnerCredentialsRequest[] {
  const client = partner.clients.find(({ keys }) => keys.kind === 'created');
  const smpp = esmeCredentials(partner, listener);
  return client ? [{ partnerId: partner.id, clientId: client.id, ...(smpp && { smpp }) }] : [];
}

/** The accounts that our own links have at the simulated SMSC. */
export function simulatedAccounts(partners: PartnerRegistry): SmscAccount[] {
  return partners.all().flatMap((partner) =>
    partner.smpp.links
      .filter((link) => link.sites.some((site) => site.host === 'sandbox'))
      .map((link) => ({
        systemId: link.systemId,
        password: link.password.reveal(),
        msisdnPrefixes: partner.markets.filter((market) => market.dialable).flatMap((market) => market.msisdnPrefixes),
      })),
  );
}

/** The simulated SMSC of the only node. */
export const unshared = (smsc: SandboxSmsc): SharedSmsc => ({
  address: () => ({ host: '127.0.0.1', port: smsc.port }),
  received: async (page) => smsc.received(page),
  sendMo: (message) => smsc.sendMo(message),
  close: () => smsc.close(),
});

/**
 * A database that a sandbox used holds clients with shared secrets and sinks without TLS: production does not open it.
 *
 * @throws ConfigurationError naming each kind that was found.
 */
export async function refuseSandboxData({ control }: Store): Promise<void> {
  const problems: string[] = [];
  if ((await control.read.sandboxClient.findFirst({ select: { clientId: true } })) !== null)
    problems.push('The database holds clients that a sandbox made; fix: give production a data folder or database of its own.');
  if ((await control.read.eventSubscription.findFirst({ where: { sink: { startsWith: 'http:' } }, select: { id: true } })) !== null)
    problems.push('The database holds a webhook whose sink is http; fix: give production a data folder or database of its own.');
  if (problems.length > 0) throw new ConfigurationError(problems);
}
