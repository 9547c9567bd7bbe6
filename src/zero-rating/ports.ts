import type { Instant } from '../kernel/clock.js';

/** What the market's law permits at an instant; `PartnerRegistry.policies` is one. */
export interface MarketPolicies {
  /** @throws GatewayError `MARKET.NOT_COVERED` for a market without a policy at that time. */
  at(market: string, instant: Instant): MarketPolicy;
}

export interface MarketPolicy {
  readonly policy: 'allowed' | 'open-class' | 'application-agnostic-only' | 'forbidden';
  readonly legalReference: string;
  /** The first day of the policy, `YYYY-MM-DD`. */
  readonly since: string;
}

/** The partners as zero-rating sees them; `PartnerRegistry` is one. */
export interface ZeroRatedPartners {
  all(): readonly ZeroRatedPartner[];
  get(partnerId: string): ZeroRatedPartner | undefined;
}

export interface ZeroRatedPartner {
  readonly id: string;
  readonly kind: 'operator' | 'hub';
  readonly markets: readonly { readonly code: string; readonly timeZone: string }[];
  readonly zeroRating: {
    /** How the operator's charging names each traffic class. */
    readonly classes: Readonly<Record<string, Rating | undefined>>;
    readonly delivery: {
      readonly leadTimeDays: number;
      /** Days (both ends included) on which the operator changes nothing. */
      readonly freeze: readonly { readonly from: string; readonly to: string }[];
    };
  };
}

/** Rating-Group and Service-Identifier (RFC 8506 §8.29, §8.28). */
export interface Rating {
  readonly ratingGroup: number;
  readonly serviceId: number;
}

/**
 * Signs what partners verify with our JWKS.
 *
 * @returns a compact JWS (RFC 7515), ES256, with `kid` in its header and the payload as JSON.
 */
export type ListSigner = (payload: Readonly<Record<string, unknown>>) => Promise<string>;

/** The deployment's own addresses: what lists are generated from. */
export interface TrafficSources {
  /** CAUSEWAY_ORIGIN_TEXT, _MEDIA and _CALLS. */
  readonly origins: { readonly text: string; readonly media: string; readonly calls: string };
  /** Address blocks (CIDR) that serve an origin with a host name, and nothing else. */
  readonly networks?: { readonly text?: readonly string[]; readonly media?: readonly string[]; readonly calls?: readonly string[] };
  /** TURN relays: entitled lines' calls run through them only. */
  readonly relays?: readonly Relay[];
  /** What the app needs but we do not own. Left out: the push services and DNS. */
  readonly dependencies?: readonly TrafficDependency[];
}

export interface Relay {
  /** CIDR, or one address. */
  readonly network: string;
  readonly transport: 'udp' | 'tcp';
  readonly ports: readonly PortRange[];
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface TrafficDependency {
  readonly name: string;
  readonly purpose: string;
  readonly domainNames: readonly string[];
}
