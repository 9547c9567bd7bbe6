import type { NewEvent } from '../../events/index.js';
import type { Clock, DomainClock, Instant } from '../../kernel/clock.js';
import { toRfc3339 } from '../../kernel/clock.js';
import { notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import type { Partner } from '../../partners/index.js';
import type { MessageStore } from '../../store/index.js';
import type { SmsPartners } from '../ports.js';
import { putPolicy } from './operations.js';
import { checkPolicy, policyOf, type SmsPolicy } from './policy.js';

/** As the contract's schema FallbackPolicy. */
export type ShownPolicy = SmsPolicy & { updatedAt?: string };

export interface SmsPolicies {
  /** As of this node's last look, at most a second ago: for the claim, the queue and the send. */
  current(partnerId: string): SmsPolicy;
  /** As it is now. @throws GatewayError `NOT_FOUND`. */
  get(partnerId: string): Promise<ShownPolicy>;
  /**
   * Puts a policy in the place of the one that the caller has seen.
   *
   * @param mayReplace given the policy as it is; refuses by throwing, and is asked again when another change was first.
   * @throws GatewayError `INVALID_ARGUMENT`.
   */
  put(partnerId: string, policy: SmsPolicy, mayReplace: (current: ShownPolicy) => void, correlator?: string): Promise<ShownPolicy>;
  /** Reads what other nodes have changed. */
  look(): Promise<void>;
}

export interface SmsPoliciesOptions {
  store: MessageStore;
  clock: Clock;
  domainClock: DomainClock;
  partners: SmsPartners;
  /** A policy has changed here: whoever waits for it looks again. */
  onChange?: ((partnerId: string) => void) | undefined;
}

type PolicyRow = { partner_id: string; document: string; version: number; updated_at: number };

interface Stored {
  policy: SmsPolicy;
  version: number;
  updatedAt: Instant;
}

export function createSmsPolicies({ store, clock, domainClock, partners, onChange }: SmsPoliciesOptions): SmsPolicies {
  let stored = new Map<string, SmsPolicy>();
  const initial = new Map(partners.all().map((partner) => [partner.id, policyOf(partner)]));

  const storedOf = ({ document, version, updated_at: updatedAt }: PolicyRow): Stored => ({
    policy: JSON.parse(document) as SmsPolicy,
    version: Number(version),
    updatedAt: Number(updatedAt),
  });

  function partnerOf(partnerId: string): Partner {
    const partner = partners.get(partnerId);
    if (!partner) throw notFound('partner');
    return partner;
  }

  async function read(partnerId: string): Promise<Stored | undefined> {
    const [row] = await store.read<PolicyRow>('SELECT * FROM sms_policy WHERE partner_id = $1 AND version > 0', [partnerId]);
    return row && storedOf(row);
  }

  const shown = (partner: Partner, given: Stored | undefined): ShownPolicy =>
    given ? { ...given.policy, updatedAt: toRfc3339(given.updatedAt) } : policyOf(partner);

  async function look(): Promise<void> {
    const rows = await store.read<PolicyRow>('SELECT * FROM sms_policy WHERE version > 0');
    stored = new Map(rows.map((row) => [row.partner_id, storedOf(row).policy]));
  }

  return {
    current: (partnerId) => stored.get(partnerId) ?? initial.get(partnerId) ?? policyOf(partnerOf(partnerId)),

    async get(partnerId) {
      const partner = partnerOf(partnerId);
      return shown(partner, await read(partnerId));
    },

    async put(partnerId, policy, mayReplace, correlator) {
      const partner = partnerOf(partnerId);
      checkPolicy(policy, partner);
      for (;;) {
        const before = await read(partnerId);
        mayReplace(shown(partner, before));
        const wallNow = clock.now();
        const updatedAt = domainClock.now(partnerId);
        const resource = shown(partner, { policy, version: 0, updatedAt });
        const event: NewEvent = {
          ...{ id: newId('evt', wallNow), partnerId, at: updatedAt },
          type: 'fallback-policy.changed',
          subject: partnerId,
          resource,
          previous: shown(partner, before),
          ...(correlator !== undefined && { correlator }),
          summary: policy.killSwitch ? 'Nothing is sent by SMS any more' : 'What may be sent by SMS has changed',
        };
        const version = before?.version ?? 0;
        const item = {
          partnerId,
          document: JSON.stringify(policy),
          version,
          updatedAt,
          eventId: event.id,
          event: JSON.stringify(event),
          wallNow,
        };
        if (!(await store.run(putPolicy, item))) continue;
        await look();
        onChange?.(partnerId);
        return resource;
      }
    },

    look,
  };
}
