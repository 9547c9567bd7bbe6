import type { Line } from '../../engine/index.js';
import type { Instant } from '../../kernel/clock.js';
import { newId } from '../../kernel/ids.js';
import { inList } from '../../store/index.js';
import type { SmsContext } from '../context.js';
import type { OptOut } from '../opt-outs/opt-out.js';
import type { OptOuts } from '../opt-outs/opt-outs.js';

/** What is known of a number at the moment when something is decided about it. */
export interface RecipientFacts {
  /** Of the live account on it. */
  accountId: string | undefined;
  /** As provisioning told the engine. */
  line: Line | undefined;
  optOuts: readonly OptOut[];
  /** How many SMS of the partner were taken for it since its day began, by sender; those of this moment are among them. */
  today(sender: string): number;
  todayInAll(): number;
  /** Whose conversation with this number a sender is: an account, or the partner itself. */
  slots: ReadonlyMap<string, string>;
  /** Counts one more for today, until `release`. */
  reserve(sender: string): () => void;
}

export interface RecipientQuestion<T> {
  partnerId: string;
  msisdn: string;
  /** When the recipient's day began, domain time. */
  dayStart: Instant;
  /** Decides without waiting for anything: what it reserves counts for whoever is asked after it. */
  decide(facts: RecipientFacts): T;
}

export interface Recipients {
  /** Asks for one number. Whoever asks in the same turn of the event loop is served by the same few reads. */
  ask<T>(question: RecipientQuestion<T>): Promise<T>;
}

export interface RecipientSources {
  accounts: { among(msisdns: readonly string[]): Promise<ReadonlyMap<string, string>> };
  lines: { among(msisdns: readonly string[]): Promise<ReadonlyMap<string, Line>> };
}

/** Numbers of one read; more would make others wait. */
const ASKED_MAX = 512;
/** No market's day is longer. */
const DAY_MAX_MS = 26 * 3_600_000;

interface Asked {
  question: RecipientQuestion<unknown>;
  resolve(answer: unknown): void;
  reject(failure: unknown): void;
}

/**
 * Reads what must be known of recipients, for all that are asked for at once. One round of reads at a time: what was reserved
 * in an earlier round is either still reserved or committed before this round's count, so that no cap is passed in this process.
 */
export function createRecipients(
  { store, clock }: Pick<SmsContext, 'store' | 'clock'>,
  { accounts, lines }: RecipientSources,
  optOuts: Pick<OptOuts, 'among'>,
): Recipients {
  let waiting: Asked[] = [];
  let running = false;
  /** By partner, number and sender; and what may be taken off once a round has begun after it. */
  const reserved = new Map<string, number>();
  let released: string[] = [];

  const keyOf = (partnerId: string, msisdn: string, sender: string): string => `${partnerId} ${msisdn} ${sender}`;

  function change(key: string, by: number): void {
    const next = (reserved.get(key) ?? 0) + by;
    if (next > 0) reserved.set(key, next);
    else reserved.delete(key);
  }

  async function round(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const taken = waiting.slice(0, ASKED_MAX);
      waiting = waiting.slice(ASKED_MAX);
      // Committed by now, so what is read next counts it.
      const settled = released;
      released = [];
      try {
        const answer = await read(taken.map(({ question }) => question));
        for (const key of settled) change(key, -1);
        for (const each of taken) decide(each, answer);
      } catch (failure) {
        released.push(...settled);
        for (const { reject } of taken) reject(failure);
      }
    }
    running = false;
  }

  function decide({ question, resolve, reject }: Asked, answer: Awaited<ReturnType<typeof read>>): void {
    const { partnerId, msisdn } = question;
    const counted = answer.counts.get(`${partnerId} ${msisdn}`) ?? NONE;
    const senders = new Set(counted.keys());
    const today = (sender: string) => (counted.get(sender) ?? 0) + (reserved.get(keyOf(partnerId, msisdn, sender)) ?? 0);
    try {
      const facts: RecipientFacts = {
        accountId: answer.accounts.get(msisdn),
        line: answer.lines.get(msisdn),
        optOuts: answer.optOuts.get(partnerId)?.get(msisdn) ?? [],
        slots: answer.slots.get(msisdn) ?? NO_SLOTS,
        today,
        todayInAll: () =>
          [...senders].reduce((sum, sender) => sum + (counted.get(sender) ?? 0), 0) + (reserved.get(keyOf(partnerId, msisdn, '')) ?? 0),
        reserve(sender) {
          const keys = [...new Set([keyOf(partnerId, msisdn, sender), keyOf(partnerId, msisdn, '')])];
          for (const key of keys) change(key, 1);
          return () => void released.push(...keys);
        },
      };
      resolve(question.decide(facts));
    } catch (failure) {
      reject(failure);
    }
  }

  async function read(questions: readonly RecipientQuestion<unknown>[]) {
    const msisdns = [...new Set(questions.map(({ msisdn }) => msisdn))];
    const partnerIds = [...new Set(questions.map(({ partnerId }) => partnerId))];
    const [found, known, stopped, slots, counts] = await Promise.all([
      accounts.among(msisdns),
      lines.among(msisdns),
      Promise.all(partnerIds.map(async (partnerId) => [partnerId, await optOuts.among(partnerId, msisdns)] as const)),
      readSlots(msisdns),
      readCounts(questions),
    ]);
    return { accounts: found, lines: known, optOuts: new Map(stopped), slots, counts };
  }

  async function readSlots(msisdns: readonly string[]): Promise<Map<string, Map<string, string>>> {
    const { list, values } = inList(msisdns);
    const rows = await store.read<{ recipient: string; sender: string; account: string }>(
      `SELECT recipient, sender, sender_account_id AS account FROM sms_slot WHERE recipient IN (${list})`,
      values,
    );
    const slots = new Map<string, Map<string, string>>();
    for (const { recipient, sender, account } of rows) slots.set(recipient, (slots.get(recipient) ?? new Map()).set(sender, account));
    return slots;
  }

  /** What has been taken today, by partner and number, then by sender. */
  async function readCounts(questions: readonly RecipientQuestion<unknown>[]): Promise<Map<string, Map<string, number>>> {
    const counts = new Map<string, Map<string, number>>();
    const days = new Map<string, { partnerId: string; dayStart: Instant; msisdns: Set<string> }>();
    for (const { partnerId, dayStart, msisdn } of questions) {
      const key = `${partnerId} ${dayStart}`;
      const day = days.get(key) ?? { partnerId, dayStart, msisdns: new Set() };
      day.msisdns.add(msisdn);
      days.set(key, day);
    }
    // By the ids' time, which is the wall clock's: what is older is of no partner's day, wherever its test clock is.
    const since = `${newId('sms', clock.now() - DAY_MAX_MS).slice(0, 14)}`;
    await Promise.all(
      [...days.values()].map(async ({ partnerId, dayStart, msisdns }) => {
        const { list, values } = inList([...msisdns], 4);
        const rows = await store.read<{ recipient: string; sender: string; n: number }>(
          `SELECT recipient, sender, COUNT(*) AS n FROM sms_message
           WHERE recipient IN (${list}) AND id > $3 AND partner_id = $1 AND created_at >= $2 AND ${COUNTS} GROUP BY recipient, sender`,
          [partnerId, dayStart, since, ...values],
        );
        for (const { recipient, sender, n } of rows) {
          const key = `${partnerId} ${recipient}`;
          counts.set(key, (counts.get(key) ?? new Map()).set(sender, Number(n)));
        }
      }),
    );
    return counts;
  }

  return {
    ask<T>(question: RecipientQuestion<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        waiting.push({ question, resolve: resolve as (answer: unknown) => void, reject });
        if (running) return;
        running = true;
        void round();
      });
    },
  };
}

/** A message that never went out, and is not going to, counts for no cap. */
const COUNTS = `state NOT IN ('rejected', 'cancelled', 'deliveredInApp')`;

const NONE: ReadonlyMap<string, number> = new Map();
const NO_SLOTS: ReadonlyMap<string, string> = new Map();
