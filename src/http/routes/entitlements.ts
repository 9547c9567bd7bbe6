import { GatewayError } from '../../kernel/errors.js';
import type { Entitlements, GrantRequest } from '../../zero-rating/index.js';
import { requireIfMatch } from '../etag.js';
import type { ApiRequest, PartnerRoutes } from '../route.js';

export function createEntitlementRoutes({ entitlements }: { entitlements: Entitlements }): PartnerRoutes {
  return {
    grantEntitlement: {
      async handle(request) {
        const { caller, correlator, params, body } = request;
        const line = { subscriptionId: String(params['subscriptionId']), trafficClass: String(params['trafficClass']) };
        const mayReplace = (current: unknown) => (current === undefined ? refuseIfMatch(request) : requireIfMatch(request, current));
        const { created, entitlement } = await entitlements.grant({ ...caller, correlator }, line, readGrant(body), mayReplace);
        return { status: created ? 201 : 200, body: entitlement };
      },
    },
    getEntitlementSnapshot: {
      async handle({ caller, query }) {
        return { status: 200, body: await entitlements.snapshot(caller, feedRequest(query)) };
      },
    },
    listEntitlementChanges: {
      async handle({ caller, query }) {
        return { status: 200, body: await entitlements.changes(caller, feedRequest(query)) };
      },
    },
    decideEntitlement: {
      async handle({ caller, body }) {
        const { at, ...asked } = body as { msisdn: string; trafficClass: string; at?: string };
        const request = { ...asked, ...(at !== undefined && { at: new Date(at) }) };
        return { status: 200, body: await entitlements.decide(caller, request) };
      },
    },
  };
}

function readGrant(body: unknown): GrantRequest {
  const { startsAt, endsAt, ...terms } = (body ?? {}) as Omit<GrantRequest, 'startsAt' | 'endsAt'> & { startsAt?: string; endsAt?: string };
  return {
    ...terms,
    ...(startsAt !== undefined && { startsAt: new Date(startsAt) }),
    ...(endsAt !== undefined && { endsAt: new Date(endsAt) }),
  };
}

/** `after` and `limit`; the feed reads its own cursors. */
const feedRequest = (query: ApiRequest['query']) => ({
  after: query['after'] === undefined ? undefined : String(query['after']),
  limit: Number(query['limit'] ?? 50),
});

/** Whoever names a version of what does not exist has something else in mind (RFC 9110 §13.1.1). */
function refuseIfMatch({ header }: Pick<ApiRequest, 'header'>): void {
  if (header('if-match') === undefined) return;
  throw new GatewayError('FAILED_PRECONDITION', {
    detail: 'The line has no such entitlement to replace.',
    hint: 'Leave If-Match out to grant it.',
    errors: [{ pointer: '/header/If-Match', code: 'stale', message: 'names a version of something that does not exist' }],
  });
}
