import type { PlanZeroRating, ZeroRatingKind } from '../../catalogue/index.js';
import { GatewayError, invalidField } from '../../kernel/errors.js';
import type { Entitlement } from '../../store/models.js';
import type { Rating, ZeroRatedPartners } from '../ports.js';

/** What a partner asks for; what is left out is as the plan says. */
export interface GrantRequest {
  kind?: ZeroRatingKind;
  sponsor?: { sponsorId: string; aspId?: string };
  cap?: { bytes: number; period: string };
  onExhaust?: { action: 'throttle' | 'charge' | 'block'; bitsPerSecond?: number };
  startsAt?: Date;
  endsAt?: Date;
}

/** The columns of an entitlement that say what is free. */
export type Terms = Pick<
  Entitlement,
  'kind' | 'sponsorId' | 'aspId' | 'capBytes' | 'capPeriod' | 'onExhaust' | 'onExhaustBitsPerSecond' | 'ratingGroup' | 'serviceId'
>;

/**
 * @throws GatewayError `INVALID_ARGUMENT` naming `/kind` when neither request nor plan says it, or
 *   `/onExhaust/bitsPerSecond` for a throttle without a speed.
 */
export function termsOf(
  { kind: asked, sponsor, cap: askedCap, onExhaust: askedExhaust }: GrantRequest,
  plan: PlanZeroRating | undefined,
  rating: Rating,
  sponsorId: string,
): Terms & { kind: ZeroRatingKind } {
  const kind = asked ?? plan?.kind;
  if (kind === undefined) throw invalidField('/kind', 'is needed, since the plan does not zero-rate this class', 'required');
  const cap = askedCap ?? plan?.cap;
  const onExhaust = askedExhaust ?? plan?.onExhaust ?? { action: 'charge' };
  if (onExhaust.action === 'throttle' && onExhaust.bitsPerSecond === undefined) {
    throw invalidField('/onExhaust/bitsPerSecond', 'is needed for a throttle', 'required');
  }
  return {
    kind,
    sponsorId: sponsor?.sponsorId ?? sponsorId,
    aspId: sponsor?.aspId ?? null,
    capBytes: cap ? BigInt(cap.bytes) : null,
    capPeriod: cap?.period ?? null,
    onExhaust: onExhaust.action,
    onExhaustBitsPerSecond:
      onExhaust.action === 'throttle' && onExhaust.bitsPerSecond !== undefined ? BigInt(onExhaust.bitsPerSecond) : null,
    ratingGroup: BigInt(rating.ratingGroup),
    serviceId: BigInt(rating.serviceId),
  };
}

/** How the operator's charging names the class; undefined where nothing was agreed. */
export const ratingOf = (partners: ZeroRatedPartners, partnerId: string, trafficClass: string): Rating | undefined => {
  const classes = partners.get(partnerId)?.zeroRating.classes ?? {};
  return Object.hasOwn(classes, trafficClass) ? classes[trafficClass] : undefined;
};

/** @throws GatewayError `SERVICE_NOT_APPLICABLE`: the operator could not tell the class in its charging. */
export function requireRating(partners: ZeroRatedPartners, partnerId: string, trafficClass: string): Rating {
  const rating = ratingOf(partners, partnerId, trafficClass);
  if (rating) return rating;
  throw new GatewayError('SERVICE_NOT_APPLICABLE', {
    detail: `No rating group is agreed for the traffic class ${trafficClass}.`,
    hint: 'Agree a rating group and service id for it with your contact; they stand in partner.yaml under zeroRating.classes.',
  });
}
