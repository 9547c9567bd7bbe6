import type { Relay, TrafficDependency, TrafficSources } from '../ports.js';
import { networkOf, writeFlowDescription } from './flow-description.js';
import type { Pfd, TrafficRules } from './rules.js';

/** The classes that the deployment's own origins make, and each one's word within the PFDs. */
export const LIST_CLASSES = { 'messaging-text': 'text', 'messaging-media': 'media', voip: 'calls' } as const;

export type ListClass = keyof typeof LIST_CLASSES;

const TCP = 6;
const UDP = 17;

/** What every phone needs beside us. An operator that drops these breaks the app however free our own traffic is. */
const DEPENDENCIES: readonly TrafficDependency[] = [
  {
    name: 'Apple Push Notification service',
    purpose: 'Wakes the app on iOS when a message waits; without it messages come when the app is opened.',
    domainNames: ['api.push.apple.com', 'courier.push.apple.com'],
  },
  {
    name: 'Firebase Cloud Messaging',
    purpose: 'Wakes the app on Android when a message waits; without it messages come when the app is opened.',
    domainNames: ['fcm.googleapis.com', 'mtalk.google.com'],
  },
  {
    name: "The operator's DNS resolvers",
    purpose: 'The app finds our addresses through them; without DNS nothing connects.',
    domainNames: [],
  },
];

/**
 * The rules of one traffic class, from the deployment's own origin and relays. The server is the source of `out` rules.
 * The same sources make the same rules, in the same order.
 */
export function generateRules(trafficClass: ListClass, sources: TrafficSources): TrafficRules {
  const word = LIST_CLASSES[trafficClass];
  const { protocol, hostname, port } = new URL(sources.origins[word]);
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const ports = [portRange(port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port))];
  const literal = networkOf(host) && host;
  const own = literal !== undefined ? [literal] : host === 'localhost' ? ['127.0.0.1', '::1'] : [];
  const pfds: Pfd[] = [];
  if (own.length === 0) {
    pfds.push({ pfdId: `${word}-names`, domainNames: [host], dnProtocol: protocol === 'https:' ? 'TLS_SNI' : 'DNS_QNAME' });
  }
  const served = [...own, ...(sources.networks?.[word] ?? [])].map((network) => ({ network, transport: 'tcp', ports }) as const);
  pfds.push(...flowPfds(word, served));
  if (trafficClass === 'voip') pfds.push(...flowPfds('relay', sources.relays ?? []));
  return { externalAppId: `causeway.${trafficClass}`, pfds };
}

export const dependenciesOf = (sources: TrafficSources): readonly TrafficDependency[] => sources.dependencies ?? DEPENDENCIES;

const portRange = (port: number) => ({ from: port, to: port });

/** IPv4 and IPv6 apart, since gateways often treat them apart; what cannot be read goes with IPv4 for the lint to name. */
function flowPfds(word: string, served: readonly Relay[]): Pfd[] {
  const families = [
    { name: 'v4', of: served.filter(({ network }) => networkOf(network)?.kind !== 'ipv6') },
    { name: 'v6', of: served.filter(({ network }) => networkOf(network)?.kind === 'ipv6') },
  ];
  return families
    .filter(({ of }) => of.length > 0)
    .map(({ name, of }) => ({ pfdId: `${word}-${name}`, flowDescriptions: [...new Set(of.map(flowOf))] }));
}

function flowOf({ network, transport, ports }: Relay): string {
  const found = networkOf(network);
  const address = found ? `${found.address.toString()}/${found.length}` : network;
  const protocol = transport === 'udp' ? UDP : TCP;
  return writeFlowDescription({ direction: 'out', protocol, from: { address, ports }, to: { address: 'any', ports: [] } });
}
