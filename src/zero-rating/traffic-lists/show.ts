import { toRfc3339 } from '../../kernel/clock.js';
import type { TrafficListAcknowledgement, TrafficListRelease, TrafficListVersion } from '../../store/models.js';
import type { TrafficDependency } from '../ports.js';
import type { TrafficRules } from './rules.js';

/** Ask at least this often whether the list has changed. */
const MIN_REFRESH_SECONDS = 3_600;

const at = (instant: Date) => toRfc3339(instant.getTime());

/** A version as one partner has it. */
export interface Released {
  list: TrafficListVersion;
  release: TrafficListRelease;
  acknowledgement: TrafficListAcknowledgement | undefined;
}

export type ShownList = ReturnType<typeof showList>;
export type ShownSummary = ReturnType<typeof showSummary>;

export const showSummary = ({ list, release, acknowledgement }: Released) => ({
  id: list.id,
  trafficClass: list.trafficClass,
  version: list.version,
  status: list.status,
  effectiveAt: at(release.effectiveAt),
  validUntil: at(release.validUntil),
  minRefreshSeconds: MIN_REFRESH_SECONDS,
  sha256: list.sha256,
  publishedAt: at(list.publishedAt),
  ...(acknowledgement && { acknowledgedVersion: acknowledgement.version, acknowledgedAt: at(acknowledgement.acknowledgedAt) }),
});

export const showList = (released: Released) => ({
  ...showSummary(released),
  signature: released.release.signature,
  rules: JSON.parse(released.list.rules) as TrafficRules,
  dependencies: JSON.parse(released.list.dependencies) as TrafficDependency[],
});

export const showAcknowledgement = (acknowledgement: TrafficListAcknowledgement, currentVersion: number) => ({
  trafficClass: acknowledgement.trafficClass,
  version: acknowledgement.version,
  deployedAt: at(acknowledgement.deployedAt),
  ...(acknowledgement.note !== null && { note: acknowledgement.note }),
  currentVersion,
  acknowledgedAt: at(acknowledgement.acknowledgedAt),
});
