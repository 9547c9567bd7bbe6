import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { GatewayError } from '../kernel/errors.js';

export interface SinkRules {
  /** The sandbox lets partners receive on their own machine: loopback, and http to it. */
  allowLoopback: boolean;
}

/** All addresses of a name, as text. */
export type Resolve = (hostname: string) => Promise<string[]>;

/** All addresses that the machine's resolver knows for a name. */
export const systemResolve: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true, verbatim: true })).map(({ address }) => address);

/** Public by their range, yet answered inside a cloud: Azure's host agent. */
const METADATA = new Set(['168.63.129.16']);

/**
 * Whether the gateway may connect to an address: public unicast only. Private, link-local (where clouds keep their
 * metadata), shared, mapped, tunnelled and reserved ranges are refused, and of IPv6 all but 2000::/3, since
 * `::127.0.0.1` counts as unicast elsewhere.
 */
export function isAllowedAddress(text: string, { allowLoopback }: SinkRules): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  const range = address.range();
  if (range === 'loopback') return allowLoopback;
  if (range !== 'unicast' || METADATA.has(address.toString())) return false;
  return address.kind() === 'ipv4' || ((address.toByteArray()[0] ?? 0) & 0xe0) === 0x20;
}

/** One sentence for every name, so that nobody learns from us which names a private network has. */
export const sinkNotAllowed = (detail: string): GatewayError =>
  new GatewayError('EVENTS.SINK_NOT_ALLOWED', { detail, errors: [{ pointer: '/sink', code: 'EVENTS.SINK_NOT_ALLOWED', message: detail }] });

/** A URL's host without the brackets of an IPv6 literal. URL has turned every other form of IPv4 into four numbers. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/**
 * Everything about a sink that its text tells. It is asked at registration and again at every attempt: a connection to a
 * literal address never asks the resolver.
 *
 * @throws GatewayError `EVENTS.SINK_NOT_ALLOWED`.
 */
export function readSink(sink: string, rules: SinkRules): URL {
  if (sink.length > 2048 || !URL.canParse(sink)) throw sinkNotAllowed('The sink is not a URL.');
  const url = new URL(sink);
  if (url.username !== '' || url.password !== '') throw sinkNotAllowed('The sink must not hold a user name or password.');
  if (url.hash !== '') throw sinkNotAllowed('The sink must not have a fragment.');
  const host = hostOf(url);
  if (isIP(host) !== 0 && !isAllowedAddress(host, rules)) throw sinkNotAllowed('The sink must be at a public address.');
  if (url.protocol === 'https:') return url;
  const toItself = host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback');
  if (url.protocol === 'http:' && rules.allowLoopback && toItself) return url;
  throw sinkNotAllowed(rules.allowLoopback ? 'The sink must be https; http is for loopback only.' : 'The sink must be https.');
}

/**
 * The addresses of a name, all of which must be allowed: one private address among public ones is a trick.
 *
 * @throws GatewayError `EVENTS.SINK_NOT_ALLOWED`.
 */
export async function resolveSink(hostname: string, resolve: Resolve, rules: SinkRules): Promise<string[]> {
  const addresses = await resolve(hostname).catch(() => []);
  if (addresses.length > 0 && addresses.every((address) => isAllowedAddress(address, rules))) return addresses;
  throw sinkNotAllowed('The name of the sink does not resolve to public addresses only.');
}
