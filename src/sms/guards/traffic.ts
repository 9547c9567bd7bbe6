import type { Instant } from '../../kernel/clock.js';
import type { SmsContext } from '../context.js';
import type { SmsPolicy } from '../policy/policy.js';
import { createRuns } from './runs.js';
import { addTraffic, forgetTraffic } from './traffic-operations.js';

/** Why a message is held: the market's cap of the hour, a range that gets far more than it ever did, or numbers in a row. */
export type TrafficHold = 'cap-market-hour' | 'pumping-range' | 'pumping-sequence';

export interface Asked {
  partnerId: string;
  market: string;
  /** E.164 with `+`. */
  msisdn: string;
  /** Domain time of the partner. */
  now: Instant;
  /** Whether the rules against made traffic apply: not to a notice, which the partner's own staff sends to many at once. */
  isJudged: boolean;
}

export interface Traffic {
  /** Counts a message that is about to be taken, unless one of the rules holds it. */
  take(asked: Asked, policy: Pick<SmsPolicy, 'caps' | 'pumping'>): TrafficHold | undefined;
  /** What was not taken after all. */
  giveBack(asked: Asked): void;
  /** Tells the other nodes what this one counted, and hears what they did. */
  exchange(): Promise<void>;
  /** What is older than the rules look back. */
  forget(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const WEEK_HOURS = 168;
/** Digits of a number that say which range it is of: the country, and some four more. */
const RANGE_CHARACTERS = 7;
/** Ranges of a partner that are told apart; what is beyond counts as one. */
const RANGES_MAX = 20_000;

const rangeOf = (msisdn: string): string => msisdn.slice(0, RANGE_CHARACTERS);

/** One partner's hour. */
interface Hour {
  hour: number;
  /** What all nodes had counted at the last exchange, and what this one has since. */
  known: Map<string, number>;
  own: Map<string, number>;
  /** On its way to the others. */
  sending: Map<string, number>;
  /** Of the seven days before, by range; undefined until they are read. */
  means: Map<string, number> | undefined;
}

const placeOf = (market: string, range: string): string => `${market} ${range}`;

/**
 * Watches how many messages go to each range of numbers. Fees for what is terminated tempt whoever gets a share of them to have
 * codes and invitations sent to numbers of theirs; such traffic comes all at once to ranges that never had any, and in rows.
 * A partner that is new is not judged by its past for seven days, since it has none.
 */
export function createTraffic({ store, domainClock }: Pick<SmsContext, 'store' | 'domainClock'>): Traffic {
  const hours = new Map<string, Hour>();
  const runs = createRuns();

  function hourOf(partnerId: string, now: Instant): Hour {
    const hour = Math.floor(now / HOUR_MS);
    let found = hours.get(partnerId);
    if (found?.hour !== hour) {
      // What was counted in the hour before and not yet told is told at the next exchange.
      if (found) late.push(...countedOf(partnerId, found.hour, found.own));
      found = { hour, known: new Map(), own: new Map(), sending: new Map(), means: undefined };
      hours.set(partnerId, found);
    }
    return found;
  }

  let late: { partnerId: string; market: string; range: string; hour: number; messages: number }[] = [];

  const countedOf = (partnerId: string, hour: number, own: ReadonlyMap<string, number>) =>
    [...own].map(([place, messages]) => {
      const [market = '', range = ''] = place.split(' ');
      return { partnerId, market, range, hour, messages };
    });

  const countAt = ({ known, own, sending }: Hour, place: string): number =>
    (known.get(place) ?? 0) + (sending.get(place) ?? 0) + (own.get(place) ?? 0);

  function add(hour: Hour, market: string, range: string, messages: number): void {
    for (const place of [placeOf(market, ''), placeOf(market, range)]) hour.own.set(place, (hour.own.get(place) ?? 0) + messages);
  }

  async function look(partnerId: string, hour: Hour): Promise<void> {
    const rows = await store.read<{ market: string; number_range: string; n: number }>(
      `SELECT market, number_range, messages AS n FROM sms_traffic WHERE partner_id = $1 AND hour = $2 LIMIT ${2 * RANGES_MAX}`,
      [partnerId, hour.hour],
    );
    if (!hour.means) hour.means = await readMeans(partnerId, hour.hour);
    hour.known = new Map(rows.map((row) => [placeOf(row.market, row.number_range), Number(row.n)]));
    hour.sending = new Map();
  }

  /** The mean hour of each range; undefined while the partner's past is shorter than what it is judged by. */
  async function readMeans(partnerId: string, hour: number): Promise<Map<string, number>> {
    const since = hour - WEEK_HOURS;
    const [first] = await store.read<{ hour: number | null }>('SELECT MIN(hour) AS hour FROM sms_traffic WHERE partner_id = $1', [
      partnerId,
    ]);
    if (first?.hour == null || Number(first.hour) > since) return NO_PAST;
    const rows = await store.read<{ market: string; number_range: string; n: number }>(
      `SELECT market, number_range, SUM(messages) AS n FROM sms_traffic WHERE partner_id = $1 AND hour >= $2 AND hour < $3
       GROUP BY market, number_range LIMIT ${2 * RANGES_MAX}`,
      [partnerId, since, hour],
    );
    return new Map(rows.map((row) => [placeOf(row.market, row.number_range), Number(row.n) / WEEK_HOURS]));
  }

  return {
    take({ partnerId, market, msisdn, now, isJudged }, { caps, pumping }) {
      const hour = hourOf(partnerId, now);
      if (countAt(hour, placeOf(market, '')) >= caps.perMarketPerHour) return 'cap-market-hour';
      const range = hour.own.size < RANGES_MAX ? rangeOf(msisdn) : '+';
      if (isJudged) {
        const place = placeOf(market, range);
        const count = countAt(hour, place) + 1;
        const { means } = hour;
        if (means && means !== NO_PAST && count > pumping.minimumPerHour && count * 100 > (means.get(place) ?? 0) * pumping.percentOfMean)
          return 'pumping-range';
        if (runs.add(partnerId, msisdn, now) >= pumping.sequentialNumbers) return 'pumping-sequence';
      }
      add(hour, market, range, 1);
      return undefined;
    },

    giveBack: ({ partnerId, market, msisdn, now }) => add(hourOf(partnerId, now), market, rangeOf(msisdn), -1),

    async exchange() {
      const counted = late;
      late = [];
      for (const [partnerId, hour] of hours) {
        counted.push(...countedOf(partnerId, hour.hour, hour.own));
        for (const [place, messages] of hour.own) hour.sending.set(place, (hour.sending.get(place) ?? 0) + messages);
        hour.own = new Map();
      }
      try {
        if (counted.length > 0) await store.run(addTraffic, { counted });
      } catch (failure) {
        // Told at the next exchange; here it counts already.
        late.push(...counted);
        throw failure;
      }
      for (const [partnerId, hour] of hours) {
        // A partner that has fallen silent is forgotten, and read anew when it comes again.
        if (hour.hour === Math.floor(domainClock.now(partnerId) / HOUR_MS)) await look(partnerId, hour);
        else if (hour.own.size === 0) hours.delete(partnerId);
      }
    },

    async forget() {
      const rows = await store.read<{ partner_id: string; hour: number }>(
        'SELECT partner_id, MAX(hour) AS hour FROM sms_traffic GROUP BY partner_id',
      );
      await Promise.all(
        rows.map((row) => store.run(forgetTraffic, { partnerId: row.partner_id, before: Number(row.hour) - 2 * WEEK_HOURS })),
      );
    },
  };
}

/** Stands for a past that is too short to judge by. */
const NO_PAST: Map<string, number> = new Map();
