import { afterEach, expect, test } from 'vitest';
import { tlv } from '../../../src/smpp/index.js';
import { type EsmeRig, HER, openEsmeRig, SENDER } from './rig.js';

let rig: EsmeRig;
afterEach(() => rig.close());

test('a submit is answered with our id once it is durable, goes out as an SMS, and its receipt says so in text and parameters', async () => {
  rig = await openEsmeRig();
  await rig.sms.bound();
  const esme = await rig.bind();
  const { status, messageId } = await esme.submit({ registeredDelivery: 1 });
  expect(status).toBe('ESME_ROK');
  expect(messageId).toMatch(/^\d{19}$/);
  await rig.sms.within(() => rig.onHandsets().length === 1);
  expect(rig.onHandsets()).toEqual([{ to: `+${HER}`, from: `+${SENDER}`, text: 'Hallo' }]);
  let receipt: Awaited<ReturnType<typeof esme.take>> | undefined;
  void esme.take().then((pdu) => (receipt = pdu));
  await rig.sms.within(() => receipt !== undefined);
  expect(receipt).toMatchObject({ esmClass: 4, sourceAddr: HER, destinationAddr: SENDER });
  expect(receipt?.shortMessage.toString('latin1')).toMatch(
    new RegExp(`^id:${messageId} sub:001 dlvrd:001 submit date:\\d{10} done date:\\d{10} stat:DELIVRD err:000 text:$`),
  );
  expect(receipt?.tlvs).toEqual([tlv('receipted_message_id', messageId), tlv('message_state', 2)]);
});
