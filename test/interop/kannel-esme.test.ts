/** Kannel 1.4.5 as an operator's ESME: bearerbox binds to our listener with its SMPP driver, smsbox sends through it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ACCOUNTS, type InteropGateway, SENDER, startInteropGateway } from './gateway.js';
import { type Kannel, type KannelOptions, startKannel } from './kannel.js';
import { skipReason, until } from './peers.js';

const TEST_MS_MAX = 120_000;
/** Kannel's words (gw/dlr.h). */
const DELIVERED = 1;
const FAILED = 2;
const BUFFERED = 4;
const AT_SMSC = 8;
const REFUSED = 16;

let gateway: InteropGateway;
const started: Kannel[] = [];

async function kannel(systemId: 'eplus-app' | keyof typeof ACCOUNTS, smsc: KannelOptions['smsc'] = []): Promise<Kannel> {
  const own = await startKannel({ port: gateway.esmePort, systemId, password: 'sandbox', smsc });
  started.push(own);
  await until(own.isOnline, own.logs);
  return own;
}

let next = 571_300_000;
const aNumber = () => `+999${++next}`;

/** What Kannel was told of that message, in order; waits for the end. */
async function reportsOf(own: Kannel, of: string): Promise<number[]> {
  const mine = () => own.reports.filter((report) => report.of === of).map(({ type }) => type);
  await until(() => mine().some((type) => [DELIVERED, FAILED, REFUSED].includes(type)), own.logs);
  return mine();
}

const textTo = async (to: string) => (await gateway.onHandsets()).find((message) => message.to === to)?.text;

describe.skipIf(skipReason !== undefined)(`Kannel as ESME${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    gateway = await startInteropGateway();
  }, TEST_MS_MAX);
  afterAll(async () => {
    await Promise.all(started.map((own) => own.stop()));
    await gateway?.close();
  }, TEST_MS_MAX);

  test('texts both ways, long ones too, receipts of every kind, enquire_link, and unbind at the end', {
    timeout: TEST_MS_MAX,
  }, async () => {
    const own = await kannel('eplus-app');
    const sent = [
      { to: aNumber(), text: 'Grüße, {Kannel} kostet 1 €', coding: 0 },
      { to: aNumber(), text: 'Привет от Kannel 🙂', coding: 2 },
      { to: aNumber(), text: 'Ein langer Text in mehreren Teilen. '.repeat(12).trim(), coding: 0 },
      { to: aNumber(), text: 'Длинное сообщение из нескольких частей. '.repeat(6).trim(), coding: 2 },
    ] as const;
    for (const [index, message] of sent.entries()) await own.send({ from: SENDER, of: `ok-${index}`, ...message });
    for (const [index, { to, text }] of sent.entries()) {
      const told = await reportsOf(own, `ok-${index}`);
      expect(told.at(-1)).toBe(DELIVERED);
      expect(told).toEqual(expect.arrayContaining([AT_SMSC, BUFFERED]));
      expect(await textTo(to)).toBe(text);
    }
    // The simulated operator does not deliver to this number.
    await own.send({ from: 'CAUSEWAY', to: '+9995790000101', text: 'x', of: 'failed' });
    expect((await reportsOf(own, 'failed')).at(-1)).toBe(FAILED);
    await own.send({ from: SENDER, to: '+4917012345678', text: 'x', of: 'refused' });
    expect(await reportsOf(own, 'refused')).toEqual([REFUSED]);

    const written = ['Antwort mit € und ä', 'Ответ 🙂', 'Eine lange Antwort in mehreren Teilen. '.repeat(11).trim()];
    for (const [index, text] of written.entries()) {
      await gateway.fromHandset({ from: '+999571234567', to: SENDER, text });
      await until(() => own.messages.length > index, own.logs);
    }
    expect(own.messages).toEqual(written.map((text) => ({ from: '+999571234567', to: SENDER, text })));
    // Kannel asks each second, and would have called the link dead.
    expect(own.logs()).toContain('type_name: enquire_link_resp');
    await own.stop();
    expect(own.logs()).toContain('type_name: unbind_resp');
    expect(own.logs()).toContain('receipted_message_id');
  });

  // Kannel speaks 3.3 then, and we send no optional parameters: the text of the receipt is all there is.
  test('an ESME of SMPP 3.3 reads receipts from their text alone', { timeout: TEST_MS_MAX }, async () => {
    const own = await kannel('eplus-app', ['interface-version = 33']);
    await own.send({ from: SENDER, to: aNumber(), text: 'by text', of: 'text' });
    expect((await reportsOf(own, 'text')).at(-1)).toBe(DELIVERED);
    expect(own.logs()).not.toContain('receipted_message_id');
    await own.stop();
  });

  test.each([
    ['esme-hex-dec', '0x01'],
    ['esme-dec-hex', '0x02'],
    ['esme-hex-hex', '0x03'],
  ] as const)('message ids as %s: msg-id-type %s', { timeout: TEST_MS_MAX }, async (account, form) => {
    const own = await kannel(account, [`msg-id-type = ${form}`]);
    await own.send({ from: 'CAUSEWAY', to: aNumber(), text: 'by number', of: account });
    expect((await reportsOf(own, account)).at(-1)).toBe(DELIVERED);
    await own.stop();
  });

  test('what came while Kannel was away is there when it binds again', { timeout: TEST_MS_MAX }, async () => {
    const before = await kannel('eplus-app');
    await before.stop();
    for (const text of ['while', 'you', 'were away']) await gateway.fromHandset({ from: '+999571234567', to: SENDER, text });
    const own = await kannel('eplus-app');
    await until(() => own.messages.length === 3, own.logs);
    expect(own.messages.map(({ text }) => text)).toEqual(['while', 'you', 'were away']);
  });
});
