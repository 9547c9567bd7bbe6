import type { PartnerRegistry } from '../partners/index.js';
import { type ClientDirectory, hashSecret, type OAuthClient } from './clients.js';

/**
 * The clients that `partners/` declares. A sandbox client without keys is not among them: its secret is made at the first
 * start, so it is found in the database.
 */
export function partnerClients(partners: Pick<PartnerRegistry, 'get' | 'client'>): ClientDirectory {
  return {
    environmentOf: (partnerId) => partners.get(partnerId)?.environment,
    find(clientId): OAuthClient | undefined {
      const found = partners.client(clientId);
      if (!found || found.client.keys.kind === 'created') return undefined;
      const { partner, client } = found;
      const { keys } = client;
      return {
        id: client.id,
        partnerId: partner.id,
        environment: partner.environment,
        scopes: client.scopes,
        markets: client.markets,
        ...(keys.kind === 'jwks' && { keys: keys.keys }),
        ...(keys.kind === 'jwksUri' && { keysUri: keys.uri }),
        ...(keys.kind === 'secret' && { secretHash: hashSecret(keys.secret.reveal()) }),
      };
    },
  };
}
