import type { Money } from '../kernel/money.js';

/** Something that a plan includes: `{ type: 'voice', unit: 'minute', quantity: 100 }`; no `quantity` is unlimited. */
export interface Allowance {
  type: string;
  unit?: string;
  quantity?: number;
  price?: Money;
  period?: string;
  description?: string;
}

/** How data beyond the allowances is charged: rounded up to `stepBytes`, priced per `bytesPerUnit` (10^6 or 2^20: said, never assumed). */
export interface DataCharging {
  stepBytes: number;
  bytesPerUnit: number;
  pricePerUnit: Money;
}

/** One bucket that voice, data and SMS all draw from. */
export interface UnitBucket {
  units: number;
  conversions: { unit: string; quantity: number }[];
}

export type ZeroRatingKind = 'app-specific' | 'open-class' | 'application-agnostic';

/** What a plan says of a traffic class. */
export interface PlanZeroRating {
  trafficClass: string;
  kind: ZeroRatingKind;
  usableAtZeroBalance: boolean;
  cap?: { bytes: number; period: string };
  onExhaust: { action: 'throttle' | 'charge' | 'block'; bitsPerSecond?: number };
}

/** What a version of a plan says. */
export interface PlanDocument {
  name: string;
  description: string;
  price: Money;
  /** ISO 8601, or null when open ended. */
  validity: string | null;
  allowances: Allowance[];
  dataCharging?: DataCharging;
  unitBucket?: UnitBucket;
  zeroRating: PlanZeroRating[];
  legalReference?: string;
}

export type PlanStatus = 'draft' | 'published' | 'retired';

export interface Plan extends PlanDocument {
  id: string;
  partnerId: string;
  market: string;
  code: string;
  status: PlanStatus;
  version: number;
  effectiveFrom: Date;
  createdAt: Date;
  updatedAt: Date;
}
