import { toRfc3339 } from '../../kernel/clock.js';
import type { Bind, OperatorLink } from './open-links.js';

export type LinkView = ReturnType<typeof showLink>;

/** A link as the API shows it (schema SmppLink). @param queue segments that wait, and why. */
export const showLink = (link: OperatorLink, queue: { waiting: number; reason: string | undefined }) => ({
  id: link.config.id,
  binds: link.binds.map(showBind),
  queue: { waiting: queue.waiting, ...(queue.reason !== undefined && { reason: queue.reason }) },
});

function showBind({ id, link }: Bind) {
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
