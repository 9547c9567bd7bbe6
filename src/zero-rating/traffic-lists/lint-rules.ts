import { type Network, networkOf, parseFlowDescription } from './flow-description.js';
import type { Pfd, TrafficRules } from './rules.js';

/** An operator's gateway would hand out far more than ours for free with anything shorter. */
const PREFIX_MIN = { ipv4: 8, ipv6: 20 };

/** Under a country's code these are registries of their own: `co.uk`, `com.jm`. */
const SECOND_LEVEL = new Set(['ac', 'co', 'com', 'edu', 'gob', 'gov', 'mil', 'net', 'nom', 'or', 'org', 'sch']);

/** Names under which anybody can have a host. */
const SHARED_HOSTING = new Set([
  'amazonaws.com', 'appspot.com', 'azureedge.net', 'azurewebsites.net', 'cloudfront.net', 'fly.dev', 'github.io', 'herokuapp.com',
  'netlify.app', 'pages.dev', 'run.app', 'vercel.app', 'web.app', 'workers.dev',
]); // biome-ignore format: one glance, one list

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * What an operator could not, or must not, deploy: a rule that is not a packet flow description, one that frees more
 * than our own servers, or one that mixes kinds of filters.
 *
 * @param sandbox lets loopback and private addresses pass: there nothing leaves the machine or its own network.
 * @returns a sentence for each problem; none when the list may be published.
 */
export function lintRules({ pfds }: TrafficRules, { sandbox }: { sandbox: boolean }): string[] {
  const problems = pfds.flatMap((pfd) => [
    ...lintKinds(pfd),
    ...(pfd.domainNames ?? []).flatMap(lintDomain),
    ...(pfd.flowDescriptions ?? []).flatMap((flow) => lintFlow(flow, sandbox)),
  ]);
  if (pfds.length === 0) problems.push('The list has no rule.');
  const ids = pfds.map(({ pfdId }) => pfdId);
  if (new Set(ids).size < ids.length) problems.push('Two rules have the same pfdId.');
  return problems;
}

function lintKinds({ pfdId, flowDescriptions, domainNames, dnProtocol }: Pfd): string[] {
  const kinds = [flowDescriptions, domainNames].filter((kind) => kind !== undefined && kind.length > 0).length;
  const problems =
    kinds === 1 ? [] : [`${pfdId} must have filters of one kind, and has ${kinds}: within a PFD all kinds would have to match.`];
  if (domainNames && dnProtocol === undefined) problems.push(`${pfdId} does not say how its names are seen.`);
  return problems;
}

function lintDomain(name: string): string[] {
  if (name.includes('*')) return [`${name} is a wildcard: it frees hosts that are not ours.`];
  const labels = name.split('.');
  const last = labels.at(-1) ?? '';
  if (name.length > 253 || !labels.every((label) => LABEL.test(label)) || /^[0-9]+$/.test(last)) return [`${name} is not a host name.`];
  const registry = labels.length === 2 && last.length === 2 && SECOND_LEVEL.has(labels[0] ?? '');
  if (labels.length < 2 || registry || SHARED_HOSTING.has(name))
    return [`${name} is a public suffix: it frees everybody's hosts under it.`];
  return [];
}

function lintFlow(text: string, sandbox: boolean): string[] {
  const flow = parseFlowDescription(text);
  if (!flow) return [`"${text}" is not a flow description (3GPP TS 29.122, RFC 6733 §4.3.1).`];
  if (flow.direction !== 'out') return [`"${text}" must be an out rule: the server is the source.`];
  const network = networkOf(flow.from.address);
  if (!network) return [`"${text}" must name our own addresses as its source.`];
  const bogon = lintReach(network, sandbox);
  return bogon === undefined ? [] : [`"${text}" ${bogon}`];
}

function lintReach({ kind, address, length }: Network, sandbox: boolean): string | undefined {
  const shortest = PREFIX_MIN[kind];
  if (length < shortest) return `frees too much: a prefix must be /${shortest} or longer.`;
  const range = address.range();
  if (range === 'unicast') return undefined;
  if (sandbox && ['loopback', 'private', 'uniqueLocal'].includes(range)) return undefined;
  return `is not reachable from the internet (${range}): a phone cannot get there.`;
}
