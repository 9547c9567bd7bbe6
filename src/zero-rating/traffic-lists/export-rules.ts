import { parseFlowDescription, writePorts } from './flow-description.js';
import type { TrafficRules } from './rules.js';

/** The contract's bound, 30 days: nobody gets longer to deploy than that. */
const ALLOWED_DELAY_SECONDS_MAX = 2_592_000;

/** PfdManagement of 3GPP TS 29.122: applications keyed by externalAppId, their PFDs keyed by pfdId. */
export function toPfdManagement({ externalAppId, pfds }: TrafficRules, leadTimeDays: number) {
  const allowedDelay = Math.min(leadTimeDays * 86_400, ALLOWED_DELAY_SECONDS_MAX);
  const byId = Object.fromEntries(pfds.map((pfd) => [pfd.pfdId, pfd]));
  return { pfdDatas: { [externalAppId]: { externalAppId, allowedDelay, pfds: byId } } };
}

/** The address blocks, one a line, each once; empty when the list knows names only. */
export function toCidrText({ pfds }: TrafficRules): string {
  const blocks = pfds.flatMap(({ flowDescriptions }) => flowDescriptions ?? []).map((text) => parseFlowDescription(text)?.from.address);
  return [...new Set(blocks)].map((block) => `${block}\n`).join('');
}

/** RFC 4180 with a header row and one filter a row; lines end as the contract shows, with LF. */
export function toCsv({ pfds }: TrafficRules): string {
  const rows = pfds.flatMap(({ pfdId, flowDescriptions = [], domainNames = [], dnProtocol = '' }) => [
    ...domainNames.map((name) => [pfdId, 'domain', dnProtocol, name, '']),
    ...flowDescriptions.map((text) => {
      const flow = parseFlowDescription(text);
      return [pfdId, 'cidr', String(flow?.protocol ?? ''), flow?.from.address ?? '', writePorts(flow?.from.ports ?? [])];
    }),
  ]);
  return [['pfdId', 'kind', 'protocol', 'value', 'port'], ...rows].map((row) => `${row.map(csvField).join(',')}\n`).join('');
}

const csvField = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
