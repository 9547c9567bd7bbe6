import { once } from 'node:events';
import type { Server } from 'node:net';
import smpp, { type Pdu as TheirPdu, type Session as TheirSession } from 'smpp';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import {
  type DeliverSm,
  type LinkState,
  messageText,
  openLink,
  openListener,
  parseReceipt,
  type SubmitSm,
  segments,
} from '../../src/smpp/index.js';

const log = createLog('silent');
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
};
/** The package's own reading of a short message. */
const theirText = ({ short_message }: TheirPdu): unknown => (short_message as { message?: unknown } | undefined)?.message;
const respond = (session: TheirSession, pdu: TheirPdu, fields: Record<string, unknown> = {}) => session.send(pdu.response(fields));

// The package as SMSC, our link as ESME.
test('our link works against a server of the smpp package: bind, texts, long messages, receipt, MO, enquire_link, unbind', async () => {
  const submits: TheirPdu[] = [];
  const seen: string[] = [];
  let smscSession: TheirSession | undefined;
  const server = smpp.createServer((session) => {
    smscSession = session;
    session.on('error', () => undefined);
    session.on('pdu', (pdu: TheirPdu) => void seen.push(pdu.command));
    session.on('bind_transceiver', (pdu: TheirPdu) => respond(session, pdu, { system_id: 'SMSC' }));
    session.on('enquire_link', (pdu: TheirPdu) => respond(session, pdu));
    session.on('unbind', (pdu: TheirPdu) => {
      respond(session, pdu);
      session.close();
    });
    session.on('submit_sm', (pdu: TheirPdu) => {
      submits.push(pdu);
      respond(session, pdu, { message_id: `id-${submits.length}` });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => new Promise((resolve) => server.close(resolve)));

  const delivered: DeliverSm[] = [];
  const got: (() => void)[] = [];
  let whenBound: (state: LinkState) => void = () => undefined;
  const bound = new Promise<LinkState>((resolve) => (whenBound = resolve));
  const link = openLink({
    host: '127.0.0.1', port: portOf(server), systemId: 'causeway', password: 'sandbox', windowSizeMax: 10, enquireLinkMs: 5, responseTimeoutMs: 5_000,
    clock: systemClock, log,
    onDeliver: async (pdu) => {
      delivered.push(pdu);
      got.shift()?.();
    },
    onStateChange: (state) => state.state === 'bound' && whenBound(state),
  }); // biome-ignore format: one call
  closing.push(() => link.close());
  await bound;

  const texts = ['Hello @ {you} €5', 'Привет 🙂', 'A long one. '.repeat(30), 'Длинное сообщение. '.repeat(10)];
  const parts = texts.map((text, i) => segments(text, { method: i === 2 ? 'udh16' : 'udh8', reference: 0x1201 + i }).segments);
  const results = await Promise.all(
    parts.flat().map((part) => link.submit({ sourceAddr: 'CAUSEWAY', sourceAddrTon: 5, destAddrTon: 1, destAddrNpi: 1, destinationAddr: '999570000001', registeredDelivery: 1, ...part })),
  );
  expect(results.map(({ messageId }) => messageId)).toEqual(parts.flat().map((_, i) => `id-${i + 1}`));
  const counts = parts.map((of) => of.length);
  const joined = counts.map((count, i) => {
    const from = counts.slice(0, i).reduce((a, b) => a + b, 0);
    return submits.slice(from, from + count).map(theirText).join('');
  });
  expect(joined).toEqual(texts);
  expect(submits[0]).toMatchObject({ source_addr: 'CAUSEWAY', source_addr_ton: 5, destination_addr: '999570000001', registered_delivery: 1, data_coding: 0 });

  const deliver = (fields: Record<string, unknown>) => {
    const taken = new Promise<void>((resolve) => got.push(resolve));
    const answered = new Promise<TheirPdu>((resolve) => smscSession?.send(new smpp.PDU('deliver_sm', { source_addr: '999570000001', destination_addr: 'CAUSEWAY', ...fields }), resolve));
    return Promise.all([answered, taken]);
  };
  const [receiptAnswer] = await deliver({ esm_class: 4, short_message: 'id:id-1 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hello', receipted_message_id: 'id-1', message_state: 2 });
  const [moAnswer] = await deliver({ short_message: 'Ответ' });
  expect([receiptAnswer, moAnswer].map(({ command, command_status }) => [command, command_status])).toEqual([['deliver_sm_resp', 0], ['deliver_sm_resp', 0]]);
  const [receipt, mo] = delivered;
  expect(receipt && parseReceipt(receipt)).toMatchObject({ messageIds: [{ id: 'id-1', from: 'tlv' }], state: 'delivered', stateFrom: 'tlv' });
  expect(mo && [parseReceipt(mo), messageText(mo)]).toEqual([undefined, 'Ответ']);

  while (!link.lastEnquireLink) await new Promise((resolve) => setImmediate(resolve));
  await link.close();
  expect(seen.at(-1)).toBe('unbind');
}); // biome-ignore format: long lines of fields

// The package as ESME, our listener as SMSC.
test('our listener works for a client of the smpp package: bind, submit, deliver_sm, enquire_link, unbind, and a refused bind', async () => {
  const submits: { text: string | undefined; pdu: SubmitSm }[] = [];
  const account = {
    systemId: 'eplus-app', password: 'sandbox', bindTypes: ['transceiver'] as const, bindsMax: 1, allowedAddresses: ['127.0.0.1'],
    handlers: {
      submit_sm: async (pdu: SubmitSm) => {
        submits.push({ text: messageText(pdu), pdu });
        return { messageId: `m${submits.length}` };
      },
    },
  }; // biome-ignore format: one account
  const listener = await openListener({
    host: '127.0.0.1', port: 0, systemId: 'causeway', clock: systemClock, log,
    findAccount: (systemId) => (systemId === account.systemId ? account : undefined),
  }); // biome-ignore format: one call
  closing.push(() => listener.close());

  const dial = async () => {
    const session = smpp.connect({ host: '127.0.0.1', port: listener.port });
    session.on('error', () => undefined);
    closing.push(() => session.destroy());
    await once(session, 'connect');
    return session;
  };
  const ask = (session: TheirSession, command: string, fields: Record<string, unknown> = {}) =>
    new Promise<TheirPdu>((resolve) => session.send(new smpp.PDU(command, fields), resolve));

  const stranger = await dial();
  const strangerClosed = once(stranger, 'close');
  expect(await ask(stranger, 'bind_transceiver', { system_id: 'eplus-app', password: 'wrong' })).toMatchObject({ command_status: smpp.errors['ESME_RINVPASWD'] });
  await strangerClosed;

  const session = await dial();
  expect(await ask(session, 'bind_transceiver', { system_id: 'eplus-app', password: 'sandbox' })).toMatchObject({ command_status: 0, system_id: 'causeway' });
  const texts = ['Hello', 'Привет', 'x'.repeat(160)];
  const answers = await Promise.all(texts.map((text) => ask(session, 'submit_sm', { destination_addr: '999570000001', short_message: text, user_message_reference: 7 })));
  expect(answers.map(({ command_status, message_id }) => [command_status, message_id])).toEqual([[0, 'm1'], [0, 'm2'], [0, 'm3']]);
  expect(submits.map(({ text }) => text)).toEqual(texts);
  expect(await ask(session, 'submit_sm', { short_message: 'x' })).toMatchObject({ command: 'submit_sm_resp', command_status: smpp.errors['ESME_RINVDSTADR'] });
  expect(await ask(session, 'query_sm', { message_id: 'm1' })).toMatchObject({ command: 'query_sm_resp', command_status: smpp.errors['ESME_RINVCMDID'] });

  session.on('deliver_sm', (pdu: TheirPdu) => {
    expect(theirText(pdu)).toBe('MO {text}');
    respond(session, pdu);
  });
  const [part] = segments('MO {text}').segments;
  await listener.deliver('eplus-app', { sourceAddr: '999570000001', destinationAddr: '12345', ...part });

  expect(await ask(session, 'enquire_link')).toMatchObject({ command_status: 0 });
  const closed = once(session, 'close');
  expect(await ask(session, 'unbind')).toMatchObject({ command_status: 0 });
  await closed;
  expect(listener.binds).toEqual([]);
}); // biome-ignore format: long lines of fields
