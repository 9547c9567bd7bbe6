import { SANDBOX_MARKET } from './iso-codes.js';
import type { Found } from './partner-rules.js';
import type { PartnerDocument } from './partner-schema.js';
import type { YamlPath } from './problem.js';

/** Ranges that belong to nobody: test networks (ITU-T E.212 annex), and the +999 that E.164 keeps in reserve. */
const SANDBOX_RANGES = { mccMnc: '001', msisdnPrefixes: '+999', iccidPrefixes: '8999' } as const;

/** Sandbox numbers can never reach a real person, and real ones never stand in the sandbox market (DESIGN section 5). */
export function marketRules({ kind, environment, markets = [], reach = [] }: Partial<PartnerDocument>): Found[] {
  const found: Found[] = [];
  const say = (path: YamlPath, message: string) => found.push({ path, message });
  for (const [index, market] of markets.entries()) {
    const path = ['markets', index];
    const plays = market.code === SANDBOX_MARKET;
    if (markets.findIndex(({ code }) => code === market.code) < index)
      say([...path, 'code'], 'is listed twice; fix: put both into one entry');
    if (plays && environment === 'production') say([...path, 'code'], 'is the sandbox market; fix: leave XS out in production');
    for (const [field, begin] of Object.entries(SANDBOX_RANGES) as [keyof typeof SANDBOX_RANGES, string][]) {
      for (const [at, prefix] of market[field].entries()) {
        const belongs = prefix.startsWith(begin);
        if (plays && !belongs) say([...path, field, at], `does not begin with ${begin}; fix: take a range of the sandbox`);
        if (!plays && belongs)
          say([...path, field, at], `begins with ${begin}, which is the sandbox's; fix: write the operator's own range`);
      }
    }
    if (kind === 'operator' && market.msisdnPrefixes.length === 0)
      say(path, "has no msisdnPrefixes; fix: list the operator's number ranges");
    if (kind === 'operator' && market.mccMnc.length === 0) say(path, 'has no mccMnc; fix: list its networks');
    if (kind === 'hub') {
      for (const field of ['mccMnc', 'msisdnPrefixes', 'iccidPrefixes'] as const) {
        if (market[field].length > 0) say([...path, field], 'is for operators, a hub has no subscribers; fix: leave it out and use reach');
      }
    }
  }
  if (kind === 'hub' && reach.length === 0)
    say(['kind'], 'is hub, and reach is empty; fix: list the prefixes that it delivers to in reach');
  if (kind === 'operator' && reach.length > 0)
    say(['reach'], 'is for hubs, an operator ends messages for its own subscribers only; fix: leave it out');
  if (environment === 'sandbox') {
    for (const [at, prefix] of reach.entries()) {
      if (!prefix.startsWith('+999')) say(['reach', at], 'does not begin with +999; fix: the sandbox reaches sandbox numbers only');
    }
  }
  return found;
}
