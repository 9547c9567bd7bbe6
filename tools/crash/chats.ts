import { freshMsisdn } from '../demo/numbers.js';
import { type Phone, registerPhone } from './phone.js';
import { comes, insist, type Scene, someCiphertext } from './scene.js';

const BURST_MAX = 6;
/** Bursts of one pair; then two other phones take over. */
const BURSTS = 40;

/** Two phones that write to each other, several messages at a time, with their streams open. */
export async function chat(scene: Scene): Promise<void> {
  const { ledger, reach, random } = scene;
  const join = () => registerPhone({ reach, ledger, msisdn: freshMsisdn(), key: `${scene.run}-p${scene.next()}` });
  const [one, other] = [await join(), await join()];
  ledger.phones.push(one, other);
  await Promise.all([one.connect(), other.connect()]);
  for (let burst = 0; burst < BURSTS && !scene.isOver(); burst++) {
    const writes = Array.from({ length: 1 + random(BURST_MAX) }, () =>
      random(2) === 0 ? write(scene, one, other) : write(scene, other, one),
    );
    await Promise.all(writes);
  }
  one.close();
  other.close();
}

/** @returns when it has arrived. */
async function write(scene: Scene, from: Phone, to: Phone): Promise<void> {
  const { ledger } = scene;
  const message = { to, clientMsgId: `${scene.run}-m${scene.next()}`, body: someCiphertext() };
  const { messageId } = await insist(
    scene,
    'messages',
    () => from.send(message),
    (sent) => sent.messageId,
  );
  ledger.messages.push({ ...message, messageId, from });
  ledger.mayRepeat({
    what: `message ${messageId}`,
    answer: messageId,
    again: async (reach) => (await from.send(message, reach)).messageId,
  });
  await comes(`message ${messageId}`, () => to.arrivals.get(messageId));
}
