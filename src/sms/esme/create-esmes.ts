import type { Bus } from '../../bus/index.js';
import type { Closable } from '../../kernel/closing-stack.js';
import { assert } from '../../kernel/errors.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import { type Listener, type ListenerAccount, type ListenerOptions, openListener } from '../../smpp/index.js';
import type { Leases } from '../../store/leases.js';
import type { SmsContext } from '../context.js';
import type { EsmeAccount } from './account.js';
import { createCommands } from './commands.js';
import { forgetDeliveries } from './delivery-operations.js';
import { createFeed, type DeliveryRow, type Feed } from './feed.js';
import { createHandlers } from './handlers.js';
import { writeMessageId } from './message-id.js';
import { createEsmeMessages, type EsmeMessages, messagePdu } from './messages.js';
import { createPlaces } from './places.js';
import type { EsmeSends } from './ports.js';
import { type ReceiptFields, receiptPdu } from './receipt.js';
import { type EsmeView, showAccount } from './show-account.js';
import { endParts, forgetSubmits } from './submit-operations.js';
import { createSubmits, PARTS_WAIT_MS } from './submits.js';
import type { Tellers } from './tell.js';
import { createThrottle, type Throttle } from './throttle.js';

export interface EsmesOptions {
  context: SmsContext;
  bus: Bus;
  leases: Leases | undefined;
  keyWrap: KeyWrap;
  /** Keys the hashes by which parts are known, so that they say nothing of a text. */
  hashKey: Uint8Array;
  sends: EsmeSends;
  tellers: Tellers;
}

/** The operators' ESMEs: what they submit, and what waits for them. */
export interface Esmes extends Closable {
  /** Takes binds. @throws the socket's error when the address cannot be bound. */
  listen(options: Pick<ListenerOptions, 'host' | 'port' | 'tls' | 'bounds'>): Promise<{ port: number }>;
  /** An SMS from a handset, for the ESME that owns the number. */
  takeMessage: EsmeMessages['take'];
  /** Makes up for lost hints, and goes on with what a crash interrupted. */
  sweep(): Promise<void>;
  /** Forgets what is long over. */
  forget(): Promise<void>;
  /** A partner's accounts with their binds and what waits for them, by system_id. */
  views(partnerId: string): Promise<EsmeView[]>;
  /** Unbinds every ESME, after what it has submitted was answered. */
  close(): Promise<void>;
}

/** Something waits for this account's ESME. */
export const ESME_QUEUED = 'esme.queued';

const DELIVER = 'esme-deliver/';
/** deliver_sm on the wire and not answered, on one bind. */
const WINDOW_SIZE_MAX = 10;
/** What an ESME has not come for in a week it never gets; ended deliveries are known for a day, submits for a month. */
const WAITS_MS = 7 * 86_400_000;
const ENDED_MS = 86_400_000;
const SUBMITS_MS = 30 * 86_400_000;
const STALE_ROWS = 200;
/** What an SMPP 3.4 ESME names in its bind; one below gets no optional parameters. */
const VERSION_3_4 = 0x34;

interface OpenAccount {
  readonly account: EsmeAccount;
  readonly feed: Feed;
  readonly throttle: Throttle;
  readonly listed: ListenerAccount;
}

export function createEsmes({ context, bus, leases, keyWrap, hashKey, sends, tellers }: EsmesOptions): Esmes {
  const { store, clock, domainClock, log, partners } = context;
  const accounts = new Map<string, OpenAccount>();
  const places = createPlaces(leases);
  const submits = createSubmits({ context, keyWrap, hashKey, sends, findAccount: (systemId) => accounts.get(systemId)?.account });
  const commands = createCommands(context, sends);
  const messages = createEsmeMessages(context, keyWrap, (systemId) => bus.publish(ESME_QUEUED, systemId));
  let listener: Listener | undefined;

  for (const partner of partners.all()) {
    for (const config of partner.smpp.listeners) accounts.set(config.systemId, openAccount({ partner, config }));
  }
  const stopHearing = bus.subscribe(ESME_QUEUED, (systemId) => accounts.get(systemId)?.feed.wake());

  function openAccount(account: EsmeAccount): OpenAccount {
    const { systemId, password, bindTypes, binds: bindsMax, allowedAddresses, segmentsPerSecondMax } = account.config;
    const throttle = createThrottle(clock, () => Math.max(1, segmentsPerSecondMax * shareOf(account)));
    const lease = DELIVER + systemId;
    const feed = createFeed({
      context,
      systemId,
      perSecond: segmentsPerSecondMax,
      room: () => receiving(systemId) * WINDOW_SIZE_MAX,
      isMine: async () => !leases || leases.holds(lease) || (!leases.heldElsewhere(lease) && leases.take(lease)),
      isStillMine: () => !leases || leases.holds(lease),
      send: (row) => send(account, row),
    });
    const listed: ListenerAccount = {
      ...{ systemId, password: password.reveal(), bindTypes, bindsMax, allowedAddresses },
      handlers: createHandlers(account, submits, commands),
      take: (segments) => throttle.take(segments),
      async admit({ boundAs }) {
        const place = await places.take(systemId, bindsMax, { boundAs, since: clock.now() });
        return place && (() => place.release());
      },
      onBound: () => feed.wake(),
    };
    return { account, feed, throttle, listed };
  }

  /** Nodes that an account is bound to share its rate by their binds. */
  function shareOf({ config }: EsmeAccount): number {
    const { here, elsewhere } = places.count(config.systemId, config.binds);
    return here + elsewhere === 0 ? 1 : here / (here + elsewhere);
  }

  const receiving = (systemId: string): number =>
    listener?.binds.filter((bind) => bind.systemId === systemId && bind.boundAs !== 'transmitter').length ?? 0;

  async function send({ config }: EsmeAccount, { kind, fields, wrapped }: DeliveryRow): Promise<void> {
    assert(listener, 'there is a bind, so there is a listener');
    if (kind === 'message') return listener.deliver(config.systemId, messagePdu(keyWrap, fields, wrapped ?? ''));
    const receipt = JSON.parse(fields) as ReceiptFields;
    const messageId = writeMessageId(receipt.messageId, config.messageIds.receipt);
    return listener.deliver(config.systemId, ({ interfaceVersion }) => receiptPdu(receipt, messageId, interfaceVersion >= VERSION_3_4));
  }

  /** Whoever has a bind that receives takes the turn over from a node that has none. */
  async function giveUpTurns(): Promise<void> {
    if (!leases) return;
    for (const systemId of accounts.keys())
      if (leases.holds(DELIVER + systemId) && receiving(systemId) === 0) await leases.release(DELIVER + systemId);
  }

  /** Messages whose rest did not come. */
  async function endStale(): Promise<void> {
    const stale = await store.read<{ group_key: string; partner_id: string }>(
      `SELECT group_key, MAX(partner_id) AS partner_id FROM sms_esme_submit WHERE wrapped IS NOT NULL AND sms_id IS NULL AND ended IS NULL
       GROUP BY group_key HAVING MAX(heard_at) < $1 LIMIT ${STALE_ROWS}`,
      [clock.now() - PARTS_WAIT_MS],
    );
    await Promise.all(
      stale.map(({ group_key: groupKey, partner_id: partnerId }) =>
        store.run(endParts, { groupKey, ended: 'incomplete', endedAt: domainClock.now(partnerId) }),
      ),
    );
  }

  return {
    async listen(options) {
      listener = await openListener({
        ...options,
        systemId: 'causeway',
        bounds: { ...options.bounds, windowSizeMax: WINDOW_SIZE_MAX },
        clock,
        log,
        findAccount: (systemId) => accounts.get(systemId)?.listed,
      });
      return { port: listener.port };
    },
    takeMessage: messages.take,
    async sweep() {
      await submits.recover();
      await endStale();
      await tellers.tellEnded();
      await giveUpTurns();
      for (const { feed } of accounts.values()) feed.wake();
    },
    async forget() {
      const now = clock.now();
      await store.run(forgetDeliveries, { waitingBefore: now - WAITS_MS, endedBefore: now - ENDED_MS });
      await store.run(forgetSubmits, { before: now - SUBMITS_MS });
    },
    async views(partnerId) {
      const own = [...accounts.values()].filter(({ account }) => account.partner.id === partnerId);
      const views = own.map(({ account: { config }, throttle, feed }) =>
        showAccount(store, config, places.views(config.systemId, config.binds), { throttled: throttle.throttled, ...feed.counters }),
      );
      return (await Promise.all(views)).sort((a, b) => (a.systemId < b.systemId ? -1 : 1));
    },
    async close() {
      stopHearing();
      for (const { feed } of accounts.values()) await feed.close();
      await listener?.close();
    },
  };
}
