import type { KeyWrap } from '../../kernel/key-wrap.js';
import { plainMessageId } from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import type { LinkCounters } from '../links/link-metrics.js';
import type { OperatorLink } from '../links/open-links.js';
import type { Pause } from '../links/pauses.js';
import type { SmsPart } from '../message.js';
import type { Opener } from '../opener/index.js';
import { markSubmitting, markSubmittingAmongNodes } from '../operations.js';
import type { Receipts } from '../receipts/receipts.js';
import { createAttempts, type Ended } from './attempts.js';
import type { ChangeOf } from './change-of.js';
import { createHeldReceipts } from './held-receipts.js';
import { createLane, type Lane } from './lane.js';
import type { Settler } from './settle.js';

export interface OpenLaneOptions {
  context: SmsContext;
  opener: Opener;
  keyWrap: KeyWrap;
  settler: Settler;
  changeOf: ChangeOf;
  receipts: Receipts;
  link: OperatorLink;
  counters: LinkCounters;
  /** Set while nothing may be submitted. */
  pause: () => Pause | undefined;
}

/** The queue of a link with what its attempts need, and what follows of them. */
export function openLane({ context, opener, keyWrap, settler, changeOf, receipts, link, counters, pause }: OpenLaneOptions): Lane {
  const { store, domainClock, nodeId, wakeOutbox } = context;
  const { partner } = link;
  const held = createHeldReceipts(context, link, (key) => receipts.claimHeld(link, key));

  async function onEnd({ message }: Ended, accepted: readonly SmsPart[]): Promise<void> {
    if (message.state !== 'queued') wakeOutbox();
    for (const { smscMessageId } of accepted) if (smscMessageId !== undefined) held.look(plainMessageId(smscMessageId));
    // Somebody waits to be told, or receipts of its first parts may have come while the last ones were on their way.
    if (message.isUntold || message.pduCount !== 1 || message.attempts > 1) await settler.settle(message.id);
    if (message.state === 'unknown') await receipts.resolveUnknown(link, message);
  }

  return createLane({
    context,
    link,
    attempts: createAttempts({ context, opener, keyWrap, link, changeOf }),
    counters,
    pause,
    mark: ({ message: { id, version }, body }) =>
      store.run(nodeId === undefined ? markSubmitting : markSubmittingAmongNodes, {
        ...{ id, version },
        encoding: body.encoding === 'gsm0338' ? 'gsm7' : body.encoding,
        segmentCount: body.count,
        pduCount: body.segments.length,
        by: nodeId ?? null,
        domainNow: domainClock.now(partner.id),
      }),
    refuse: (smsId, { refused, reason }) => settler.end(smsId, refused, reason),
    onEnd,
  });
}
