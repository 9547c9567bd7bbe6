import {
  type Client,
  createClient,
  OPERATIONS,
  type OperationContext,
  type OperationId,
  type OperationPath,
  type OperationTag,
  type Ops,
} from './generated/client.js';
import { createTokenCache, type TokenCacheOptions } from './token-cache.js';

export * from './generated/client.js';
export { type ClientCredentials, createTokenCache, TokenRequestError } from './token-cache.js';
export { verifyWebhook, type WebhookHeaders, WebhookVerificationError } from './webhook-verifier.js';

/**
 * A client of the partner API: gets and renews its token by itself, sends an Idempotency-Key with every POST, and
 * retries what is safe to retry (`Retry-After` honoured).
 *
 * ```ts
 * const causeway = createCausewayClient({ serverUrl, clientId, clientSecret });
 * for await (const plan of causeway.listPlans.items()) console.log(plan.name);
 * ```
 */
export function createCausewayClient(options: TokenCacheOptions): Client<Ops, OperationContext<OperationId, OperationPath, OperationTag>> {
  return createClient<Ops, OperationId, OperationPath, OperationTag>(OPERATIONS, {
    serverUrl: options.serverUrl,
    clientHeader: 'causeway-sdk-typescript',
    idempotencyKey: true,
    retry: { retries: 2, retryStrategy: 'exponential', jitter: true },
    timeout: 30_000,
    auth: { bearer: createTokenCache(options) },
    ...(options.fetch && { fetch: options.fetch }),
  });
}
