import type { PublicJwk } from '../identity/index.js';
import type { PartnerDocument } from './partner-schema.js';
import type { Secret } from './secret.js';

/** How a client proves itself. `created`: a sandbox client whose secret is made at the first start. */
export type ClientKeys =
  | { readonly kind: 'jwks'; readonly keys: readonly PublicJwk[] }
  | { readonly kind: 'jwksUri'; readonly uri: string }
  | { readonly kind: 'secret'; readonly secret: Secret }
  | { readonly kind: 'created' };

export interface PartnerClient {
  readonly id: string;
  readonly scopes: readonly string[];
  /** Every market of the partner unless the file names some. */
  readonly markets: readonly string[];
  readonly keys: ClientKeys;
}

export type PartnerMarket = PartnerDocument['markets'][number] & {
  /**
   * Whether messages may go to its numbers. In the sandbox only those of XS: a real market that a sandbox partner has is
   * described (plans, policy, ranges), and nothing there is ever dialled.
   */
  readonly dialable: boolean;
};

/** The bridge's own words in one language, ICU messages (templates/<bcp47>.yaml). */
export interface Templates {
  /** Arguments: `senderName` (at most 30 characters), `ref` (4 characters). */
  readonly notice: string;
  readonly stopConfirmed: string;
  readonly startConfirmed: string;
  readonly help: string;
  /** The partner's own texts, by name: ICU messages with the same arguments in every language. */
  readonly messages: Readonly<Record<string, string>>;
}

/** An operator or hub: its partner.yaml with defaults filled in, secrets wrapped, key files read, and its templates. */
export type Partner = Omit<PartnerDocument, 'clients' | 'markets'> & {
  readonly markets: readonly PartnerMarket[];
  readonly clients: readonly PartnerClient[];
  /** By BCP 47 tag, in every language that the gateway has notices in; the partner's own texts go first. */
  readonly templates: Readonly<Record<string, Templates>>;
  /** What stands for a sender who does not want to be named, by the same tags. */
  readonly somebody: Readonly<Record<string, string>>;
};
