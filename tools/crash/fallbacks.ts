import { randomInt } from 'node:crypto';
import type { FallbackRequest } from '../../sdks/messaging/wire.js';
import { freshMsisdn } from '../demo/numbers.js';
import type { AnsweredFallback } from './ledger.js';
import { orderLines } from './orders.js';
import { type Phone, registerPhone } from './phone.js';
import { comes, insist, type Scene, someCiphertext } from './scene.js';

const AT_ONCE_MAX = 3;
const ROUNDS = 8;
const AFTER_SECONDS = 10;
const TEXT_LIVES_MS = 3_600_000;
const OVER = new Set(['cancelled', 'delivered', 'failed', 'unknown']);
/** Magic numbers of the simulated operator: a receipt before the response, and one that comes twice. */
const ODD_NUMBERS = ['000106', '000108'];

/**
 * Somebody writes to a phone that is away; the timer fires and SMS go out, or the phone fetches the messages first, or both
 * at once; some of the SMS are answered.
 */
export async function missedMessages(scene: Scene): Promise<void> {
  const { ledger, reach, random } = scene;
  const join = (msisdn: string) => registerPhone({ reach, ledger, msisdn, key: `${scene.run}-p${scene.next()}` });
  const msisdn = someMsisdn(scene);
  await orderLines(scene, [msisdn]);
  const [writer, away] = [await join(freshMsisdn()), await join(msisdn)];
  ledger.phones.push(writer, away);
  await writer.connect();
  for (let round = 0; round < ROUNDS && !scene.isOver(); round++) {
    const wishes = Array.from({ length: 1 + random(AT_ONCE_MAX) }, () => arm(scene, writer, away));
    const armed = await Promise.all(wishes);
    // Fetched before the timer fires, after it, or right then.
    const fetched = random(4) === 0 ? away.drain() : undefined;
    if (random(2) === 0) await fetched;
    await scene.advance(AFTER_SECONDS + 1);
    await fetched;
    await Promise.all(armed.map((fallback) => seeThrough(scene, writer, fallback)));
    if (random(2) === 0) await away.drain();
  }
  writer.close();
}

function someMsisdn({ random }: Scene): string {
  const suffix = ODD_NUMBERS[random(4)];
  return suffix === undefined ? freshMsisdn() : `+999579${String(randomInt(1_000)).padStart(3, '0')}${suffix}`;
}

async function arm(scene: Scene, writer: Phone, away: Phone): Promise<AnsweredFallback> {
  const { ledger, random } = scene;
  const clientMsgId = `${scene.run}-f${scene.next()}`;
  const text = `Call me back, ${scene.secretWord} ${clientMsgId}.`;
  const kind = (['chat', 'chat', 'urgent', 'otp'] as const)[random(4)] ?? 'chat';
  const expiresAt = new Date(Date.now() + TEXT_LIVES_MS).toISOString();
  const sealed = await writer.seal(text, { clientMsgId, recipientMsisdn: away.msisdn, expiresAt });
  const fallback: FallbackRequest = { mode: 'sealed', class: kind, afterSeconds: AFTER_SECONDS, sealed };
  const message = { to: away, clientMsgId, body: someCiphertext(), fallback };
  const sent = await insist(
    scene,
    'fallbacks',
    () => writer.send(message),
    ({ messageId, fallback: made }) => `${messageId} ${made?.id}`,
  );
  const { messageId } = sent;
  if (!sent.fallback) throw new Error(`message ${messageId} has no fallback`);
  ledger.messages.push({ ...message, messageId, from: writer });
  const answered = { fallbackId: sent.fallback.id, class: kind, msisdn: away.msisdn, text };
  ledger.fallbacks.push(answered);
  const answer = `${messageId} ${answered.fallbackId}`;
  ledger.mayRepeat({
    what: `message ${messageId} with its fallback`,
    answer,
    async again(reach) {
      const repeated = await writer.send(message, reach);
      return `${repeated.messageId} ${repeated.fallback?.id}`;
    },
  });
  return answered;
}

/** Waits for its end, and lets half of those who got the SMS answer it. */
async function seeThrough(scene: Scene, writer: Phone, { fallbackId, text }: AnsweredFallback): Promise<void> {
  const { ledger, reach, random, smsc } = scene;
  const { state } = await comes(`the end of fallback ${fallbackId}`, async () => {
    const fallback = await ledger.ask('fallbacks', () => reach.partner.getFallback({ path: { fallbackId } }));
    return OVER.has(fallback.state) ? fallback : undefined;
  });
  const sms = smsc.handsets.find((each) => each.text.startsWith(text));
  if (state !== 'delivered' || !sms?.from.startsWith('+') || random(2) === 0) return;
  const reply = `On my way, ${scene.secretWord} r${scene.next()}.`;
  await ledger.ask('replies', () => smsc.answer({ from: sms.to, to: sms.from, text: reply }));
  ledger.replies.push({ text: reply, to: writer });
  await comes(`the answer to fallback ${fallbackId}`, () => writer.replies.find((each) => each.text === reply));
}
