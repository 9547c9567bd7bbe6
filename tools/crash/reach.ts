import { createCausewayClient } from '../../sdks/typescript/index.js';
import { secretsIn } from '../gateway/scan.js';

export type Partner = ReturnType<typeof createCausewayClient>;

/** A gateway as its clients reach it. */
export interface Reach {
  readonly partner: Partner;
  /** The same gateway by its other door. */
  readonly otherDoor: Partner;
  readonly phonesUrl: string;
  readonly fetch: typeof fetch;
}

/** Answers that hold secrets. */
const ISSUES_SECRETS = /\/(oauth2\/token|messaging\/v1\/(token|accounts)|v1\/sandbox\/number-verification-tokens|v1\/event-subscriptions)$/;

export function createReach(given: {
  url: string;
  phonesUrl: string;
  clientId: string;
  clientSecret: string;
  /** Told each secret that an answer gives to a client. */
  onSecret(secret: string, what: string): void;
}): Reach {
  const { url, phonesUrl, clientId, clientSecret, onSecret } = given;
  async function listeningFetch(...request: Parameters<typeof fetch>): Promise<Response> {
    const response = await fetch(...request);
    if (!response.ok || !ISSUES_SECRETS.test(response.url)) return response;
    const body: unknown = JSON.parse(await response.clone().text());
    for (const [secret, member] of secretsIn(body)) onSecret(secret, `the value of ${member}`);
    return response;
  }
  const at = (serverUrl: string) => createCausewayClient({ serverUrl, clientId, clientSecret, fetch: listeningFetch });
  return { phonesUrl, fetch: listeningFetch, partner: at(url), otherDoor: at(phonesUrl) };
}
