/** What a partner's client can be allowed: `<resource>:read` and `<resource>:write`. The only list of them. */
export const SCOPE_RESOURCES = [
  'plans', 'sims', 'orders', 'tasks', 'subscriptions', 'entitlements', 'traffic-lists', 'usage', 'settlements', 'sms', 'fallbacks',
  'smpp-links', 'lines', 'events', 'audit', 'sandbox',
] as const; // biome-ignore format: one glance, one list

export const PARTNER_SCOPES: readonly string[] = SCOPE_RESOURCES.flatMap((resource) => [`${resource}:read`, `${resource}:write`]);

/** Only the messaging company's own clients can have these: publish lists, market policy, pause a market. */
export const PLATFORM_SCOPES: readonly string[] = ['traffic-lists:publish', 'market-policy:write', 'markets:pause'];

/** The pseudo partner of the messaging company's own clients. No folder in partners/ may take the name. */
export const PLATFORM_PARTNER_ID = 'platform';

/** Words that partner.yaml may use for several scopes. */
const ALIASES: Readonly<Record<string, readonly string[]>> = { 'events:manage': ['events:read', 'events:write'] };

const partnerScopes = new Set(PARTNER_SCOPES);
const platformScopes = new Set(PLATFORM_SCOPES);

/** Whether partner.yaml may name this scope. */
export const isPartnerScope = (scope: string): boolean => partnerScopes.has(scope) || Object.hasOwn(ALIASES, scope);

/** What a client may have: aliases written out, and nothing that its kind of principal cannot have. */
export function allowedScopes(partnerId: string, scopes: Iterable<string>): Set<string> {
  const allowed = new Set<string>();
  for (const named of scopes) {
    for (const scope of Object.hasOwn(ALIASES, named) ? (ALIASES[named] ?? []) : [named]) {
      if (partnerScopes.has(scope) || (partnerId === PLATFORM_PARTNER_ID && platformScopes.has(scope))) allowed.add(scope);
    }
  }
  return allowed;
}
