import { toRfc3339 } from '../../kernel/clock.js';
import type { Entitlement } from '../../store/models.js';

const at = (instant: Date) => toRfc3339(instant.getTime());

export type ShownEntitlement = ReturnType<typeof showEntitlement>;

/** As the API shows an entitlement; `msisdn` only for policy systems (snapshot and changes). */
export const showEntitlement = (row: Entitlement) => ({
  id: row.id,
  subscriptionId: row.subscriptionId,
  trafficClass: row.trafficClass,
  status: row.status,
  ...(row.sponsorId !== null && { sponsor: { sponsorId: row.sponsorId, ...(row.aspId !== null && { aspId: row.aspId }) } }),
  ...(row.capBytes !== null && row.capPeriod !== null && { cap: { bytes: Number(row.capBytes), period: row.capPeriod } }),
  onExhaust: {
    action: row.onExhaust,
    ...(row.onExhaustBitsPerSecond !== null && { bitsPerSecond: Number(row.onExhaustBitsPerSecond) }),
  },
  ratingGroup: Number(row.ratingGroup),
  serviceId: Number(row.serviceId),
  startsAt: at(row.startsAt),
  ...(row.endsAt && { endsAt: at(row.endsAt) }),
  ...(row.reason !== null && { reason: row.reason }),
  updatedAt: at(row.updatedAt),
});

export const showWithNumber = (row: Entitlement, msisdn: string) => ({ ...showEntitlement(row), msisdn });
