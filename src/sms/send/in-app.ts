import { toRfc3339 } from '../../kernel/clock.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { SmsContext } from '../context.js';
import { messageOf, type SmsClass, type SmsMessage } from '../message.js';
import { HPKE_SUITE, type Opener } from '../opener/index.js';
import { unpackBody } from '../outbound/body.js';
import { textPurpose } from '../outbound/queue.js';
import type { Settler } from '../outbound/settle.js';
import { readSms } from '../read-sms.js';
import { IN_APP_MS } from './asked.js';
import type { Held } from './held.js';

export interface InApp {
  /** Puts messages that were stored into the queues of the recipients' devices. Repeating it changes nothing. */
  deliver(smsIds: readonly string[]): Promise<void>;
  /** Whether a device took it, and if not, its way by SMS: an ack or a timer has come. */
  end(smsId: string): Promise<void>;
  /** Ends the app's turn for what no device took in time. */
  sweep(): Promise<void>;
  /** After a restart, or when a node has died: what may not have reached the devices' queues. */
  recover(): Promise<void>;
}

export interface InAppOptions {
  context: SmsContext;
  opener: Pick<Opener, 'sealReply'>;
  keyWrap: KeyWrap;
  settler: Pick<Settler, 'end'>;
  held: Pick<Held, 'release'>;
}

const SWEEP_ROWS = 500;

/** The rows that wait for the app. */
const WAITING = `state = 'queued' AND waits_for = 'in-app'`;

/**
 * A partner's message goes to the app first, sealed to the reply keys of the recipient's devices by the bridge, and by SMS only
 * when none of them has acknowledged it in time. Which of the two it is, is decided once: by the engine, where an ack and the
 * withdrawal update one row on contrary conditions. Everything here may be done again after a crash.
 */
export function createInApp({ context, opener, keyWrap, settler, held }: InAppOptions): InApp {
  const { store, domainClock, engine, partners, serial, log } = context;

  async function waiting(smsId: string): Promise<SmsMessage | undefined> {
    const message = (await readSms(store, smsId))?.message;
    return message?.state === 'queued' && message.waitsFor === 'in-app' ? message : undefined;
  }

  async function sealed({ id, recipient, sender, wrapped, createdAt, partnerId }: SmsMessage) {
    const account = await engine.accounts.byMsisdn(recipient);
    if (!account || wrapped === undefined) return [];
    const body = unpackBody(Buffer.from(keyWrap.unwrap(wrapped, textPurpose(id))));
    // Octets are for a program of the SIM, and no app reads them.
    if (!('text' in body)) return [];
    const { text } = body;
    const receivedAt = toRfc3339(createdAt);
    const from = partners.get(partnerId)?.name ?? sender;
    const devices = await engine.devices.ofAccount(account.accountId);
    return Promise.all(
      devices.flatMap(({ deviceId, replyKey }) => {
        if (replyKey?.suite !== HPKE_SUITE) return [];
        const binding = { deviceId, inReplyTo: id, receivedAt };
        const sealing = opener.sealReply({ ...binding, deviceReplyKey: replyKey.publicKey, text, from });
        return [sealing.then((closed) => ({ deviceId, body: JSON.stringify({ ...closed, receivedAt, inReplyTo: id }) }))];
      }),
    );
  }

  async function deliver(smsId: string): Promise<void> {
    const message = await waiting(smsId);
    if (!message) return;
    const devices = await sealed(message);
    const isQueued = devices.length > 0 && (await engine.notices.send({ id: smsId, kind: 'partner-notice', suite: HPKE_SUITE, devices }));
    log.info({ smsId, devices: devices.length, isQueued }, 'sms offered to the app');
    // Nobody will acknowledge it.
    if (!isQueued) await end(smsId);
  }

  async function end(smsId: string): Promise<void> {
    await serial.run(`in-app ${smsId}`, async () => {
      const message = await waiting(smsId);
      if (!message) return;
      const outcome = await engine.notices.withdraw(smsId, message.recipient);
      if (outcome === 'delivered') await settler.end(smsId, 'deliveredInApp', 'acked');
      else await held.release([message]);
      log.info({ smsId, outcome }, "the app's turn ended");
    });
  }

  async function ids(sql: string, ...parameters: (string | number)[]): Promise<string[]> {
    return (await store.read(`SELECT id FROM sms_message WHERE ${sql} LIMIT ${SWEEP_ROWS}`, parameters)).map((row) => String(row['id']));
  }

  return {
    deliver: async (smsIds) => void (await Promise.all(smsIds.map(deliver))),
    end,

    async sweep() {
      for (const { id: partnerId } of partners.all()) {
        const now = domainClock.now(partnerId);
        for (const kind of Object.keys(IN_APP_MS) as SmsClass[]) {
          const since = now - IN_APP_MS[kind];
          const due = await ids(
            `partner_id = $1 AND class = $2 AND ${WAITING} AND created_at <= $3 ORDER BY created_at`,
            partnerId,
            kind,
            since,
          );
          await Promise.all(due.map(end));
        }
      }
    },

    async recover() {
      for (let after = ''; ; ) {
        const rows = await store.read(`SELECT * FROM sms_message WHERE ${WAITING} AND id > $1 ORDER BY id LIMIT ${SWEEP_ROWS}`, [after]);
        await Promise.all(rows.map(messageOf).map(({ id }) => deliver(id)));
        after = String(rows.at(-1)?.['id'] ?? '');
        if (rows.length < SWEEP_ROWS) return;
      }
    },
  };
}
