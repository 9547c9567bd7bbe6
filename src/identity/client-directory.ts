import type { JsonWebKey } from 'node:crypto';
import type { PartnerRegistry } from '../partners/index.js';
import { type ClientDirectory, hashSecret, type OAuthClient } from './clients.js';

/** The clients of partner.yaml. A secret is turned into its hash here and kept nowhere else. */
export function clientDirectoryOf(partners: PartnerRegistry): ClientDirectory {
  const clients = new Map<string, OAuthClient>();
  for (const { id: partnerId, environment, markets, clients: listed } of partners.all()) {
    for (const { id, scopes, keys, markets: covered } of listed) {
      const narrowed = markets.some(({ code }) => !covered.includes(code));
      clients.set(id, {
        id,
        partnerId,
        environment,
        scopes,
        ...(narrowed ? { markets: covered } : {}),
        ...(keys.kind === 'jwks' ? { keys: keys.keys.map((key): JsonWebKey => ({ ...key })) } : {}),
        ...(keys.kind === 'secret' ? { secretHash: hashSecret(keys.secret.reveal()) } : {}),
      });
    }
  }
  return { find: (clientId) => clients.get(clientId), environmentOf: (partnerId) => partners.get(partnerId)?.environment };
}
