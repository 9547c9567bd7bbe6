import { isPartnerScope, PLATFORM_PARTNER_ID, SCOPE_RESOURCES } from '../identity/index.js';
import { SANDBOX_MARKET } from './iso-codes.js';
import { linkRules } from './link-rules.js';
import { marketRules } from './market-rules.js';
import type { PartnerDocument } from './partner-schema.js';
import { shownPath, type YamlPath } from './problem.js';
import type { Origin } from './references.js';
import { secretPaths } from './secret-paths.js';

export interface Found {
  path: YamlPath;
  message: string;
}

const RESOURCES = `${SCOPE_RESOURCES.slice(0, -1).join(', ')} or ${SCOPE_RESOURCES.at(-1)}`;

/**
 * What no single field shows. Sections that are not valid are absent, and the rules about them wait.
 *
 * @param folder the name of the folder. @param origins where each text came from, by shown path.
 */
export function partnerRules(document: Partial<PartnerDocument>, folder: string, origins: ReadonlyMap<string, Origin>): Found[] {
  const found: Found[] = [...marketRules(document), ...linkRules(document)];
  const say = (path: YamlPath, message: string) => found.push({ path, message });
  const { id, environment, markets, clients = [], agreement, sms } = document;

  if (id !== undefined && id !== folder) say(['id'], `is not the name of its folder, ${folder}; fix: make them the same`);
  if (id === PLATFORM_PARTNER_ID) say(['id'], "is the name of the messaging company's own clients; fix: choose another one");

  const knows = (code: string) => markets === undefined || markets.some((market) => market.code === code);
  const notOurs = 'is not one of the markets of this partner; fix: add the market, or leave it out here';
  for (const [index, client] of clients.entries()) {
    for (const [at, scope] of client.scopes.entries())
      if (!isPartnerScope(scope)) say(['clients', index, 'scopes', at], `is not a scope; fix: write ${RESOURCES}, and :read or :write`);
    for (const [at, code] of (client.markets ?? []).entries()) if (!knows(code)) say(['clients', index, 'markets', at], notOurs);
    if (environment !== 'production') continue;
    if (client.keys === undefined) say(['clients', index], 'has no keys; fix: give jwksFile or jwksUri, which production needs');
    if (client.keys?.secret !== undefined)
      say(['clients', index, 'keys', 'secret'], 'is for the sandbox only; fix: give jwksFile or jwksUri (private_key_jwt)');
  }

  const priced = new Set<string>();
  for (const [index, { market, service }] of (agreement?.rates ?? []).entries()) {
    if (!knows(market)) say(['agreement', 'rates', index, 'market'], notOurs);
    if (priced.has(`${market} ${service}`)) say(['agreement', 'rates', index], 'prices a service of a market twice; fix: keep one of them');
    priced.add(`${market} ${service}`);
  }

  for (const [index, sender] of (sms?.senders ?? []).entries()) {
    const path = ['sms', 'senders', index];
    for (const [at, code] of sender.markets.entries()) if (!knows(code)) say([...path, 'markets', at], notOurs);
    if (environment === 'production' && sender.registration === undefined)
      say(path, 'has no registration; fix: say which registration or contract allows the sender');
    const first = sms?.senders.findIndex(({ address }) => address === sender.address) ?? index;
    if (first < index) say([...path, 'address'], 'is listed twice; fix: keep one entry, with all its markets');
    if (sender.type === 'number' && markets !== undefined && !ownNumber(sender.address, sender.markets, document))
      say([...path, 'address'], 'is outside the own ranges; fix: take a number of the market (in XS one whose prefix is followed by 9)');
  }

  for (const path of secretPaths(document)) {
    const origin = origins.get(shownPath(path));
    if (origin === undefined) say(path, 'holds a secret in the open; fix: write a reference, env: or file:, and change the secret');
    if (origin === 'default' && environment === 'production')
      say(path, 'has only its default; fix: set the variable, production takes no default');
  }
  return found;
}

/** An operator's numbers are of its ranges; in the sandbox of the part kept for senders (DESIGN section 5). */
function ownNumber(address: string, of: readonly string[], { kind, markets = [] }: Partial<PartnerDocument>): boolean {
  return of.every((code) => {
    if (kind === 'hub') return code !== SANDBOX_MARKET || address.startsWith('+999');
    const prefixes = markets.find((market) => market.code === code)?.msisdnPrefixes ?? [''];
    return prefixes.some((prefix) => address.startsWith(code === SANDBOX_MARKET ? `${prefix}9` : prefix));
  });
}
