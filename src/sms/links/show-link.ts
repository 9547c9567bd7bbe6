import { type Instant, toRfc3339 } from '../../kernel/clock.js';
import type { LaneView } from '../outbound/lane.js';
import type { OperatorLink } from './open-links.js';
import { showBind } from './show-bind.js';

export type LinkView = ReturnType<typeof showLink>;

/**
 * A link as the API shows it (schema SmppLink): its binds at whichever node they are.
 *
 * @param queue segments that wait, and why.
 */
export const showLink = (link: OperatorLink, now: Instant, queue: { waiting: number; reason: string | undefined }) => ({
  id: link.config.id,
  binds: link.everyBind().map((each) => ('bind' in each ? showBind(each.bind) : shownElsewhere(each, link, now))),
  queue: { waiting: queue.waiting, ...(queue.reason !== undefined && { reason: queue.reason }) },
});

const HELD: Readonly<Record<NonNullable<LaneView['heldBy']>, string>> = {
  paused: 'The link is paused.',
  'link-down': 'No bind of the link is up.',
  window: 'The window of every bind is full.',
  rate: 'The link is at its rate.',
};

/** Why what waits for a link has to wait, in words for people; undefined when nothing holds it. */
export function queueReason(view: LaneView | undefined): string | undefined {
  if (view?.paused) return HELD.paused;
  if (view?.heldBy !== undefined) return HELD[view.heldBy];
  return view?.isDeferred ? 'Messages wait for their next try.' : undefined;
}

/** As its node tells; between two nodes nobody keeps it. */
function shownElsewhere({ id, told }: { id: string; told: unknown }, { config }: OperatorLink, now: Instant): ReturnType<typeof showBind> {
  const shown = (told as { shown?: ReturnType<typeof showBind> } | undefined)?.shown;
  return shown ?? { id, state: 'connecting', since: toRfc3339(now), windowUsed: 0, windowMax: config.windowSizeMax };
}
