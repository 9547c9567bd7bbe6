import { afterEach, expect, test } from 'vitest';
import { GatewayError } from '../../../src/kernel/errors.js';
import { createPlaces } from '../../../src/sms/esme/places.js';
import { createThrottle } from '../../../src/sms/esme/throttle.js';
import { createFakeClock } from '../../fakes/clock.js';
import type { RigOptions } from '../rig.js';
import { type EsmeRig, type EsmeRigOptions, openEsmeRig } from './rig.js';

type Account = NonNullable<EsmeRigOptions['accounts']>[number];

let rig: EsmeRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function open(account: Account = {}, options: RigOptions = {}): Promise<EsmeRig> {
  rig = await openEsmeRig({ ...options, accounts: [account] });
  await rig.sms.bound();
  return rig;
}

test('an account has no more binds than it may, and one that ends makes room', async () => {
  const { bind, sms } = await open({ binds: 2 });
  const first = await bind();
  await bind('receiver');
  await expect(bind('transmitter')).rejects.toThrow('ESME_RALYBND');
  const [view] = await sms.sms.esmes.views('e-plus');
  expect(view?.binds.map(({ type }) => type).sort()).toEqual(['receiver', 'transceiver']);
  first.send({ command: 'unbind', sequence: 9 });
  await first.ended;
  await sms.until(async () => (await sms.sms.esmes.views('e-plus'))[0]?.binds.length === 1);
  await bind('transmitter');
});

test('only from where it may, with its password, as what it may', async () => {
  const { bind } = await open({ bindTypes: ['transmitter'], allowedAddresses: ['127.0.0.0/8'] });
  await expect(bind('transceiver')).rejects.toThrow('ESME_RBINDFAIL');
  await expect(bind('transmitter', { password: 'wrong' })).rejects.toThrow('ESME_RINVPASWD');
  await expect(bind('transmitter', { systemId: 'nobody' })).rejects.toThrow('ESME_RINVPASWD');
  await bind('transmitter');
  await rig?.close();
  const elsewhere = await open({ allowedAddresses: ['192.0.2.7'] });
  await expect(elsewhere.bind()).rejects.toThrow('ESME_RINVPASWD');
});

test('what is over the rate is throttled, by segments and by destinations, and the view says so', async () => {
  const { bind, sms } = await open({ segmentsPerSecondMax: 5 });
  const esme = await bind();
  const to = (last: number) => ({ destinationAddr: `99957123000${last}`, destAddrTon: 1, destAddrNpi: 1 });
  const multi = { sourceAddr: '9995790000001', shortMessage: Buffer.from('x'), destinations: [to(1), to(2), to(3), to(4)] };
  expect((await esme.ask('submit_multi', multi)).commandStatus).toBe(0);
  const answers = [await esme.submit(), await esme.submit(), await esme.submit()].map(({ status }) => status);
  expect(answers).toEqual(['ESME_ROK', 'ESME_RTHROTTLED', 'ESME_RTHROTTLED']);
  await sms.clock.advance(1_000);
  expect((await esme.submit()).status).toBe('ESME_ROK');
  expect((await sms.sms.esmes.views('e-plus'))[0]).toMatchObject({ throttled: 2, segmentsPerSecondMax: 5 });
});

test('a store that is behind is told with ESME_RMSGQFUL; one that fails, with ESME_RSYSERR; never with OK', async () => {
  let failure: Error | undefined;
  const { bind, rows } = await open(
    {},
    {
      wrapMessages: (messages) => ({
        ...messages,
        run: (operation, item) => (failure && operation.name === 'sms.queue' ? Promise.reject(failure) : messages.run(operation, item)),
      }),
    },
  );
  const esme = await bind();
  failure = new GatewayError('UNAVAILABLE', { detail: 'Too much is waiting.' });
  expect((await esme.submit()).status).toBe('ESME_RMSGQFUL');
  failure = new Error('no disk');
  expect((await esme.submit()).status).toBe('ESME_RSYSERR');
  expect(await rows('SELECT 1 AS n FROM sms_message')).toEqual([]);
  failure = undefined;
  expect((await esme.submit()).status).toBe('ESME_ROK');
});

test('a message of several segments may overdraw, and what comes after it waits the longer', async () => {
  const clock = createFakeClock();
  const throttle = createThrottle(clock, () => 10);
  expect([throttle.take(30), throttle.take(1)]).toEqual([true, false]);
  await clock.advance(2_000);
  expect(throttle.take(1)).toBe(false);
  await clock.advance(100);
  expect(throttle.take(1)).toBe(true);
});

test('two that bind in one moment do not take one place', async () => {
  const places = createPlaces(undefined);
  const view = { boundAs: 'transceiver', since: 0 } as const;
  const taken = await Promise.all([places.take('a', 1, view), places.take('a', 1, view)]);
  expect(taken.filter(Boolean)).toHaveLength(1);
  taken[0]?.release();
  expect(await places.take('a', 1, view)).toBeDefined();
});
