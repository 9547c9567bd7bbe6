import ipaddr from 'ipaddr.js';
import type { PortRange } from '../ports.js';

/** One end of a flow: `any`, `assigned` (the terminal), or an address block as `ip/len`; no ports are all ports. */
export interface FlowEnd {
  address: string;
  ports: readonly PortRange[];
}

/** An IPFilterRule (RFC 6733 §4.3.1) as 3GPP TS 29.122 uses it: a `permit` of a 3-tuple, no options. */
export interface Flow {
  /** `out`: toward the terminal, so the server is the source. */
  direction: 'in' | 'out';
  /** IANA protocol number, or `ip` for all. */
  protocol: number | 'ip';
  from: FlowEnd;
  to: FlowEnd;
}

const PORTS = '(?: ([0-9]{1,5}(?:-[0-9]{1,5})?(?:,[0-9]{1,5}(?:-[0-9]{1,5})?)*))?';
const RULE = new RegExp(`^permit (in|out) (ip|[0-9]{1,3}) from ([^ ]+)${PORTS} to ([^ ]+)${PORTS}$`);
const PORT_MAX = 65_535;

/**
 * Reads `permit (in|out) (ip|0–255) from <any|assigned|ip[/len]> [ports] to <…> [ports]`. What the full grammar allows
 * beyond that (`deny`, `!`, options) is not a packet flow description.
 *
 * @returns undefined for anything else.
 */
export function parseFlowDescription(text: string): Flow | undefined {
  const [, direction, protocol, from, fromPorts, to, toPorts] = RULE.exec(text) ?? [];
  if (direction === undefined || protocol === undefined || from === undefined || to === undefined) return undefined;
  if (protocol !== 'ip' && Number(protocol) > 255) return undefined;
  const source = readEnd(from, fromPorts);
  const target = readEnd(to, toPorts);
  if (!source || !target) return undefined;
  return { direction: direction === 'in' ? 'in' : 'out', protocol: protocol === 'ip' ? 'ip' : Number(protocol), from: source, to: target };
}

export function writeFlowDescription({ direction, protocol, from, to }: Flow): string {
  return `permit ${direction} ${protocol} from ${writeEnd(from)} to ${writeEnd(to)}`;
}

export const writePorts = (ports: readonly PortRange[]): string =>
  ports.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(',');

const writeEnd = ({ address, ports }: FlowEnd): string => (ports.length > 0 ? `${address} ${writePorts(ports)}` : address);

function readEnd(address: string, ports: string | undefined): FlowEnd | undefined {
  const ranges = (ports?.split(',') ?? []).map((range) => {
    const [from = '', to = from] = range.split('-');
    return { from: Number(from), to: Number(to) };
  });
  if (ranges.some(({ from, to }) => from > to || to > PORT_MAX)) return undefined;
  if (address === 'any' || address === 'assigned') return { address, ports: ranges };
  return networkOf(address) && { address, ports: ranges };
}

export interface Network {
  kind: 'ipv4' | 'ipv6';
  address: ipaddr.IPv4 | ipaddr.IPv6;
  length: number;
}

/** An address, or a block in CIDR form; undefined for anything else (short and octal forms of IPv4 too). */
export function networkOf(text: string): Network | undefined {
  const [address = '', length, more] = text.split('/');
  if (more !== undefined || (length !== undefined && !/^(0|[1-9][0-9]{0,2})$/.test(length))) return undefined;
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !(address.includes(':') && !address.includes('%') && ipaddr.IPv6.isValid(address))) {
    return undefined;
  }
  const parsed = ipaddr.parse(address);
  const longest = parsed.kind() === 'ipv4' ? 32 : 128;
  const bits = length === undefined ? longest : Number(length);
  return bits > longest ? undefined : { kind: parsed.kind(), address: parsed, length: bits };
}
