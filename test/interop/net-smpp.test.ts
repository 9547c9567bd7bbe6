/** Net::SMPP of Perl on either side: as an operator's ESME at our listener, and as the SMSC that our link binds to. */
import { afterEach, describe, expect, test } from 'vitest';
import { type InteropGateway, SENDER, startInteropGateway } from './gateway.js';
import { skipReason, until } from './peers.js';
import { type PerlProgram, startPerl } from './perl-program.js';

const TEST_MS_MAX = 120_000;
const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex');
const text = (octets: string) => Buffer.from(octets, 'hex').toString('latin1');

let gateway: InteropGateway;
const programs: PerlProgram[] = [];

async function perl(...args: Parameters<typeof startPerl>): Promise<PerlProgram> {
  const program = await startPerl(...args);
  programs.push(program);
  return program;
}

describe.skipIf(skipReason !== undefined)(`Net::SMPP${skipReason ? ` (${skipReason})` : ''}`, () => {
  afterEach(async () => {
    for (const program of programs.splice(0)) await program.stop();
    await gateway.close();
  }, TEST_MS_MAX);

  test('as ESME: every command of a transmitter, receipts, a message from a handset, and unbind', { timeout: TEST_MS_MAX }, async () => {
    gateway = await startInteropGateway();
    const esme = await perl('esme', String(gateway.esmePort), 'eplus-app', 'sandbox', 'transceiver');
    expect(await esme.next()).toMatchObject({ status: 0, system_id: 'causeway' });
    const source = { source_addr_ton: 1, source_addr_npi: 1, source_addr: SENDER.slice(1) };
    const to = (destination_addr: string) => ({ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr });
    const ask = (command: string, fields: object = {}) => esme.tell({ ask: command, fields });

    const sent = await ask('submit_sm', { ...source, ...to('999571300001'), registered_delivery: 1, short_message: hex('Guten Tag') });
    expect(sent).toMatchObject({ status: 0, message_id: expect.stringMatching(/^\d{19}$/) });
    const receipt = await esme.tell({ take: 'deliver_sm' });
    expect(text(receipt['short_message'])).toMatch(new RegExp(`^id:${sent['message_id']} .*stat:DELIVRD`));
    expect(receipt).toMatchObject({ esm_class: 4, source_addr: '999571300001', receipted_message_id: `${sent['message_id']}\0` });
    const named = { message_id: sent['message_id'], ...source };
    expect(await ask('query_sm', named)).toMatchObject({ status: 0, message_id: sent['message_id'], message_state: 2 });
    expect(await ask('cancel_sm', { ...named, ...to('999571300001') })).toMatchObject({ status: 0x11 });
    expect(await ask('replace_sm', { ...named, short_message: hex('too late') })).toMatchObject({ status: 0x13 });

    const multi = { dest_addr_ton: [1, 1], dest_addr_npi: [1, 1], destination_addr: ['999571300002', '12'] };
    const several = await ask('submit_multi', { ...source, ...multi, short_message: hex('An alle') });
    expect(several).toMatchObject({ status: 0, no_unsuccess: 1, destination_addr: ['12'], error_status_code: [0x0b] });
    const data = await ask('data_sm', { ...source, ...to('999571300003'), message_payload: hex('Daten') });
    expect(data).toMatchObject({ status: 0 });
    await until(async () => (await gateway.onHandsets()).length === 3);
    const arrived = (await gateway.onHandsets()).map((message) => message.text);
    expect(arrived.sort()).toEqual(['An alle', 'Daten', 'Guten Tag']);

    // Those that wait for their time can be taken back, and say something else.
    const later = { ...source, ...to('999571300004'), schedule_delivery_time: '000000010000000R', short_message: hex('later') };
    const scheduled = await ask('submit_sm', later);
    const waiting = { message_id: scheduled['message_id'], ...source };
    expect(await ask('replace_sm', { ...waiting, short_message: hex('much later') })).toMatchObject({ status: 0 });
    expect(await ask('cancel_sm', { ...waiting, ...to('999571300004') })).toMatchObject({ status: 0 });
    expect(await ask('query_sm', waiting)).toMatchObject({ status: 0, message_state: 4 });

    expect(await ask('submit_sm', { ...source, source_addr: '123', ...to('999571300001') })).toMatchObject({ status: 0x0a });
    await gateway.fromHandset({ from: '+999571300001', to: SENDER, text: 'Ja' });
    expect(text((await esme.tell({ take: 'deliver_sm' }))['short_message'])).toBe('Ja');
    expect(await ask('enquire_link')).toMatchObject({ status: 0 });
    expect(await ask('unbind')).toMatchObject({ status: 0 });
  });

  test('as SMSC: our link binds, submits, matches its receipts, takes a message, and unbinds', { timeout: TEST_MS_MAX }, async () => {
    const smsc = await perl('smsc');
    const { port } = await smsc.next();
    const site = `[{ host: 127.0.0.1, port: ${port} }]`;
    gateway = await startInteropGateway({
      partner: (yaml) => yaml.replace(/sites: .*/, `sites: ${site}`).replace('binds: 2', 'binds: 1\n      enquireLinkSeconds: 5'),
    });
    const esme = await perl('esme', String(gateway.esmePort), 'eplus-app', 'sandbox', 'transceiver');
    await esme.next();
    const source = { source_addr_ton: 1, source_addr_npi: 1, source_addr: SENDER.slice(1) };
    const to = { dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '999571300001' };
    const sent = await esme.tell({ ask: 'submit_sm', fields: { ...source, ...to, registered_delivery: 1, short_message: hex('call me') } });
    const told = [await esme.tell({ take: 'deliver_sm' }), await esme.tell({ take: 'deliver_sm' })].map((pdu) =>
      text(pdu['short_message']),
    );
    expect(told).toContain('called');
    expect(told.find((words) => words.startsWith(`id:${sent['message_id']} `))).toContain('stat:DELIVRD');
    const long = 'Ein langer Text. '.repeat(12);
    const payload = { ...source, ...to, registered_delivery: 1, message_payload: hex(long) };
    await esme.tell({ ask: 'data_sm', fields: payload });
    expect(text((await esme.tell({ take: 'deliver_sm' }))['short_message'])).toContain('stat:DELIVRD');
    const submits = smsc.lines.filter(({ cmd }) => cmd === 4);
    expect(submits[0]).toMatchObject({ source_addr: SENDER.slice(1), destination_addr: '999571300001', registered_delivery: 1 });
    const parts = submits.slice(1).map((pdu) => Buffer.from(pdu['short_message'], 'hex'));
    expect(parts.map((part) => part.subarray(1 + part.readUInt8(0)).toString('latin1')).join('')).toBe(long);
    await until(() => smsc.lines.some(({ cmd }) => cmd === 0x15));
    await gateway.close();
    expect(smsc.lines.at(-1)).toMatchObject({ cmd: 6 });
  });
});
