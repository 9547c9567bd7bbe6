import type { Catalogue } from '../catalogue/index.js';
import type { Engine } from '../engine/index.js';
import type { Events } from '../events/index.js';
import { createIdentityRoutes, createRateLimiter, type HttpOptions, type RateLimits } from '../http/index.js';
import { createEntitlementRoutes } from '../http/routes/entitlements.js';
import { createEventSubscriptionRoutes } from '../http/routes/event-subscriptions.js';
import { createEventRoutes } from '../http/routes/events.js';
import { createFallbackRoutes } from '../http/routes/fallbacks.js';
import { createLineEventRoutes } from '../http/routes/line-events.js';
import { createMessagingPublicRoutes, createMessagingRoutes } from '../http/routes/messaging.js';
import { createOrderRoutes } from '../http/routes/orders.js';
import { createPartnerProfileRoutes } from '../http/routes/partner.js';
import { createPlanRoutes } from '../http/routes/plans.js';
import { createNoSandboxRoutes, createSandboxRoutes, type SandboxRouteOptions } from '../http/routes/sandbox.js';
import { createSimRoutes } from '../http/routes/sims.js';
import { createSmppLinkRoutes } from '../http/routes/smpp-links.js';
import { createSmsMessageRoutes } from '../http/routes/sms-messages.js';
import { createSubscriptionRoutes } from '../http/routes/subscriptions.js';
import { createTaskRoutes } from '../http/routes/tasks.js';
import { createTrafficListRoutes } from '../http/routes/traffic-lists.js';
import type { Identity } from '../identity/index.js';
import type { Clock } from '../kernel/clock.js';
import type { PartnerRegistry } from '../partners/index.js';
import { marketOfNumber, type Provisioning } from '../provisioning/index.js';
import type { SmsBridge } from '../sms/index.js';
import type { ZeroRating } from '../zero-rating/index.js';

export interface GatewayParts {
  clock: Clock;
  partners: PartnerRegistry;
  identity: Identity;
  events: Events;
  catalogue: Catalogue;
  zeroRating: ZeroRating;
  provisioning: Provisioning;
  engine: Engine;
  sms: SmsBridge;
  /** Undefined in production, where each of the sandbox's operations says so. */
  sandbox: Pick<SandboxRouteOptions, 'testClock' | 'numberVerification' | 'smsc'> | undefined;
  rateLimitsOf(partnerId: string): RateLimits;
  /** Resolves when every line change that was committed is in messages.db. */
  linesSettled(): Promise<void>;
}

/** Every operation of the contract with the part that answers it. */
export function gatewayRoutes(parts: GatewayParts): HttpOptions['routes'] {
  const { clock, partners, identity, events, engine, provisioning, sms, zeroRating, sandbox, rateLimitsOf } = parts;
  return {
    partner: {
      ...createPlanRoutes(parts),
      ...createSimRoutes(provisioning),
      ...createOrderRoutes(provisioning),
      ...createTaskRoutes({ ...parts, ...provisioning }),
      ...createSubscriptionRoutes({ ...provisioning, entitlements: zeroRating.entitlements, events }),
      ...createLineEventRoutes({ ...parts, ...provisioning }),
      ...createTrafficListRoutes(zeroRating),
      ...createEntitlementRoutes(zeroRating),
      ...createSmsMessageRoutes({ sms }),
      ...createFallbackRoutes({ fallbacks: engine.fallbacks, sms }),
      ...createSmppLinkRoutes({ sms }),
      ...createEventRoutes({ events }),
      ...createEventSubscriptionRoutes({ events }),
      ...createPartnerProfileRoutes({ partners, clock }),
      ...(sandbox
        ? createSandboxRoutes({
            ...{ ...sandbox, clock },
            isOwn: (request, msisdn) => marketOfNumber(partners, request.caller, msisdn) !== undefined,
            systemIdOf: (partnerId) => partners.get(partnerId)?.smpp.links[0]?.systemId,
          })
        : createNoSandboxRoutes()),
    },
    device: createMessagingRoutes(engine.calls),
    public: {
      ...createIdentityRoutes({ identity, rateLimiter: createRateLimiter(), rateLimitsOf }),
      ...createMessagingPublicRoutes(engine.calls),
    },
  };
}
