import { toRfc3339 } from '../../kernel/clock.js';
import type { Bind } from './open-links.js';

/** A bind as the API shows it (schema SmppLink). */
export function showBind({ id, link }: Bind) {
  const { state, reason, since } = link.state;
  const shown = state === 'bound' ? 'bound' : reason === 'connecting' ? 'connecting' : 'down';
  return {
    id,
    state: shown,
    since: toRfc3339(since),
    ...(shown === 'down' && reason !== undefined && { reason: String(reason) }),
    windowUsed: link.windowUsed,
    windowMax: link.windowSizeMax,
    ...(link.lastEnquireLink && { lastEnquireLinkAt: toRfc3339(link.lastEnquireLink.at) }),
  };
}
