import { Counter, Gauge, type Registry } from 'prom-client';
import type { SmsPart } from '../message.js';

/** What a link counts as it goes. */
export interface LinkCounters {
  /** The SMSC has dealt with a part. @param segments as it charges them. */
  answered(part: Pick<SmsPart, 'outcome' | 'commandStatus'>, segments: number): void;
}

/** What is read of a link when the metrics are asked for. */
export interface LinkGauges {
  partnerId: string;
  linkId: string;
  /** Messages that wait, by reason. */
  waiting: ReadonlyMap<string, number>;
  underWay: number;
  windowUsed: number;
  windowMax: number;
  /** Segments a second that the SMSC grants. */
  perSecond: number;
  isPaused: boolean;
  bindsUp: number;
}

export interface LinkMetrics {
  countersOf(partnerId: string, linkId: string): LinkCounters;
}

/** Metrics of the links, by partner and link: nothing of a message is a label. @param gauges what the links say now. */
export function createLinkMetrics(registry: Registry | undefined, gauges: () => Promise<readonly LinkGauges[]>): LinkMetrics {
  if (!registry) return { countersOf: () => ({ answered: () => undefined }) };
  const labelNames = ['partner', 'link'] as const;
  const registers = [registry];
  const submitted = new Counter({
    name: 'causeway_sms_submitted_segments_total',
    help: 'Segments that SMSCs took.',
    labelNames,
    registers,
  });
  const refused = new Counter({
    name: 'causeway_sms_refused_parts_total',
    help: 'submit_sm that did not succeed, by command_status, or by unknown and never-sent where there was none.',
    labelNames: [...labelNames, 'status'],
    registers,
  });

  const waiting = new Gauge({
    name: 'causeway_sms_waiting_messages',
    help: 'Messages that wait for a link, by what they wait for.',
    labelNames: [...labelNames, 'reason'],
    registers,
    async collect() {
      waiting.reset();
      for (const { partnerId, linkId, ...link } of await gauges()) {
        const labels = { partner: partnerId, link: linkId };
        for (const [reason, count] of link.waiting) waiting.set({ ...labels, reason }, count);
        underWay.set(labels, link.underWay);
        windowUsed.set(labels, link.windowUsed);
        windowMax.set(labels, link.windowMax);
        perSecond.set(labels, link.perSecond);
        paused.set(labels, link.isPaused ? 1 : 0);
        bindsUp.set(labels, link.bindsUp);
      }
    },
  });
  const gauge = (name: string, help: string) => new Gauge({ name: `causeway_sms_${name}`, help, labelNames, registers });
  const underWay = gauge('under_way_messages', 'Messages whose attempt has begun and not ended.');
  const windowUsed = gauge('window_used', 'submit_sm without an answer, over the binds of this node.');
  const windowMax = gauge('window_max', 'submit_sm that may be without an answer, over the binds of this node that are up.');
  const perSecond = gauge('granted_segments_per_second', 'The rate that the SMSC was found to grant, at most what was agreed.');
  const paused = gauge('link_paused', '1 while the link is paused.');
  const bindsUp = gauge('binds_up', 'Binds of this node that are up.');

  return {
    countersOf(partnerId, linkId) {
      const labels = { partner: partnerId, link: linkId };
      const taken = submitted.labels(labels);
      return {
        answered({ outcome, commandStatus }, segments) {
          if (outcome === 'accepted') taken.inc(segments);
          else refused.labels({ ...labels, status: commandStatus ?? outcome }).inc();
        },
      };
    },
  };
}
