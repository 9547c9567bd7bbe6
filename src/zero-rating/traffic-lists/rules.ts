/** One filter of one kind: several kinds within a PFD would all have to match, several PFDs are alternatives. */
export interface Pfd {
  pfdId: string;
  flowDescriptions?: string[];
  domainNames?: string[];
  /** How a name is seen: in the TLS handshake, or, without TLS, in the DNS question. */
  dnProtocol?: 'TLS_SNI' | 'DNS_QNAME';
}

/** PfdData of 3GPP TS 29.122, with the PFDs as a list. */
export interface TrafficRules {
  externalAppId: string;
  pfds: Pfd[];
}
