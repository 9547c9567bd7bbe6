import type { SmsContext } from '../context.js';
import type { Lane } from '../outbound/lane.js';
import type { LinkGauges } from './link-metrics.js';
import type { OperatorLink } from './open-links.js';

/** What a link and its queue say now, for the metrics. */
export async function gaugesOf(
  { store, clock }: Pick<SmsContext, 'store' | 'clock'>,
  link: OperatorLink,
  lane: Lane | undefined,
): Promise<LinkGauges> {
  const rows = await store.read<{ waits_for: string | null; n: number }>(
    `SELECT CASE WHEN not_before > $1 THEN COALESCE(waits_for, 'next-try') END AS waits_for, count(*) AS n FROM sms_message
     WHERE link_id = $2 AND partner_id = $3 AND state = 'queued' GROUP BY 1`,
    [clock.now(), link.config.id, link.partner.id],
  );
  const view = lane?.view();
  const now = lane?.reasonFor({ notBefore: 0, waitsFor: undefined }) ?? 'turn';
  const binds = link.usable();
  return {
    partnerId: link.partner.id,
    linkId: link.config.id,
    waiting: new Map(rows.map((row) => [row.waits_for ?? now, Number(row.n)])),
    underWay: view?.underWay ?? 0,
    windowUsed: binds.reduce((sum, bind) => sum + bind.link.windowUsed, 0),
    windowMax: binds.reduce((sum, bind) => sum + bind.link.windowSizeMax, 0),
    perSecond: view?.perSecond ?? 0,
    isPaused: view?.paused !== undefined,
    bindsUp: binds.length,
  };
}
