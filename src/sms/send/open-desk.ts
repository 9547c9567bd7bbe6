import type { Bus } from '../../bus/index.js';
import { NOTICE_DELIVERED } from '../../engine/index.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { Sender } from '../../partners/index.js';
import { type Charges, createCharges } from '../charges/charges.js';
import { createRates } from '../charges/rates.js';
import { createTotals, type ReadTotals } from '../charges/totals.js';
import type { SmsContext } from '../context.js';
import { createFallbackScreen, type FallbackScreen } from '../fallbacks/screen.js';
import { type Budget, createBudget } from '../guards/budget.js';
import { createRecipients } from '../guards/recipients.js';
import { createTraffic } from '../guards/traffic.js';
import type { Opener } from '../opener/index.js';
import { useSlot } from '../operations.js';
import { type AnswerKeyword, createAnswerKeyword } from '../opt-outs/answer-keyword.js';
import { createOptOuts, type OptOuts } from '../opt-outs/opt-outs.js';
import type { SmsQueue } from '../outbound/queue.js';
import type { Settler } from '../outbound/settle.js';
import { createForecast, type ForecastPolicy } from '../policy/forecast.js';
import type { SmsPolicies } from '../policy/policies.js';
import { createSendApi, type SendApi } from './answers.js';
import type { AskedSms } from './asked.js';
import { createDecide, partnerAccount } from './decide.js';
import { createHeld, type Held } from './held.js';
import { createInApp } from './in-app.js';
import { createSends, type Sends } from './send.js';

/** What a partner may send, and what becomes of it before the queue has it and after it is paid for. */
export interface Desk {
  sends: Sends;
  sendApi: SendApi;
  /** When what a message waits for ends. */
  waitsUntil: Held['endsAt'];
  forecast: ForecastPolicy;
  totals: ReadTotals;
  optOuts: OptOuts;
  charges: Charges;
  answerKeyword: AnswerKeyword;
  screen: FallbackScreen;
  budget: Budget;
  /** By name, each to be run again and again. */
  sweeps: Readonly<Record<string, () => Promise<void>>>;
  /** After a restart, or when a node has died. */
  recover(): Promise<void>;
  /** Once in a while: what the rules no longer look back at. */
  forget(): Promise<void>;
  close(): void;
}

export interface DeskOptions {
  context: SmsContext;
  bus: Bus;
  policies: SmsPolicies;
  opener: Opener;
  keyWrap: KeyWrap;
  queue: SmsQueue['queue'];
  settler: Settler;
  /** A message that was held may go over this link. */
  onQueued(partnerId: string, linkId: string): void;
}

export function openDesk({ context, bus, policies, opener, keyWrap, queue, settler, onQueued }: DeskOptions): Desk {
  const { store, clock, engine, partners, tasks } = context;
  const optOuts = createOptOuts(context);
  const traffic = createTraffic(context);
  const recipients = createRecipients(context, engine, optOuts);
  const rateAt = createRates(partners);
  const budget = createBudget(context, policies);
  const held = createHeld({ context, policies, settler, optOuts, onQueued });
  const inApp = createInApp({ context, opener, keyWrap, settler, held });
  const decide = createDecide({ context, policies, recipients, traffic, rateAt, takeSlot });
  const sends = createSends({
    decide,
    queue,
    async answered({ partnerId, scope, key }) {
      const [row] = await store.read<{ fingerprint: string; answer: string }>(
        'SELECT fingerprint, answer FROM sms_idempotency WHERE partner_id = $1 AND scope = $2 AND key = $3 AND expires_at > $4',
        [partnerId, scope, key, clock.now()],
      );
      return row;
    },
    onInApp: (decided) => tasks.start('in-app', () => inApp.deliver(decided.map(({ sms }) => sms.id))),
  });
  const stopHearing = bus.subscribe(NOTICE_DELIVERED, (smsId) => tasks.start('in-app', () => inApp.end(smsId)));
  const charges = createCharges(context, rateAt);

  /** The partner itself takes a conversation's place: no chat ever has its answers there. */
  function takeSlot({ id, to, partner }: AskedSms, market: string, { address }: Sender, lineEpoch: number): Promise<boolean> {
    return store.run(useSlot, {
      recipient: to,
      sender: address,
      senderAccountId: partnerAccount(partner.id),
      senderDeviceId: '',
      clientMsgId: '',
      fallbackId: '',
      smsId: id,
      lineEpoch,
      partnerId: partner.id,
      market,
      subscriptionId: null,
      now: clock.now(),
    });
  }

  return {
    sends,
    sendApi: createSendApi(sends, context),
    waitsUntil: held.endsAt,
    forecast: createForecast(context, rateAt),
    totals: createTotals(context),
    optOuts,
    charges,
    answerKeyword: createAnswerKeyword({ context, optOuts, sends }),
    screen: createFallbackScreen({ context, policies, recipients, traffic }),
    budget,
    sweeps: {
      policies: () => policies.look(),
      traffic: () => traffic.exchange(),
      budget: () => budget.look(),
      inApp: () => inApp.sweep(),
      held: () => held.sweep(),
      races: () => charges.sweep(),
    },
    recover: () => inApp.recover(),
    forget: () => traffic.forget(),
    close: stopHearing,
  };
}
