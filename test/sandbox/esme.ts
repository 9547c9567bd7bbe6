import { pino } from 'pino';
import smpp, { type Pdu } from 'smpp';
import { afterEach } from 'vitest';
import { openSandboxSmsc, type SandboxSmsc, type SandboxSmscOptions } from '../../src/sandbox/smsc/index.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';

export const PASSWORD = 'sandbox';
export const SENDER = '9995790000001';

const open: { close(): Promise<void> | void }[] = [];

/** Closes what the test opened, the last first. */
export function closeAfterEach(): void {
  afterEach(async () => {
    for (let next = open.pop(); next; next = open.pop()) await next.close();
  });
}

export async function startSmsc(given: Partial<SandboxSmscOptions> = {}): Promise<{ smsc: SandboxSmsc; clock: FakeClock }> {
  const clock = createFakeClock();
  const accounts = [{ systemId: 'causeway', password: PASSWORD }];
  const smsc = await openSandboxSmsc({ host: '127.0.0.1', port: 0, accounts, clock, log: pino({ level: 'silent' }), ...given });
  open.push(smsc);
  return { smsc, clock };
}

export interface Esme {
  /** Sends a request and resolves with its response; rejects when the connection goes first. */
  request(command: string, fields?: Record<string, unknown>): Promise<Pdu>;
  submit(to: string, fields?: Record<string, unknown>): Promise<Pdu>;
  /** The next request or response from the SMSC that has this command; one that came earlier counts. */
  next(command: string): Promise<Pdu>;
  /** What has come, in the order of the wire. */
  readonly seen: Pdu[];
  /** The command_status of each coming deliver_sm_resp; null leaves it unanswered. */
  answerWith: (number | null)[];
  closed: Promise<void>;
  close(): void;
}

/** An ESME made of the `smpp` package. It acknowledges every deliver_sm unless told otherwise. */
export function connectEsme(port: number): Esme {
  const session = smpp.connect({ host: '127.0.0.1', port });
  const waiters: { command: string; found(pdu: Pdu): void }[] = [];
  const unread: Pdu[] = [];
  const answerWith: (number | null)[] = [];
  const seen: Pdu[] = [];
  session.on('error', () => session.destroy());
  session.on('pdu', (pdu: Pdu) => {
    seen.push(pdu);
    if (pdu.command === 'enquire_link') session.send(pdu.response());
    if (pdu.command === 'deliver_sm') {
      const status = answerWith.length > 0 ? answerWith.shift() : 0;
      if (typeof status === 'number') session.send(pdu.response(status === 0 ? {} : { command_status: status }));
    }
    const waiter = waiters.findIndex((each) => each.command === pdu.command);
    if (waiter >= 0) waiters.splice(waiter, 1)[0]?.found(pdu);
    else unread.push(pdu);
  });
  const closed = new Promise<void>((resolve) => session.on('close', () => resolve()));
  const esme: Esme = {
    seen,
    answerWith,
    closed,
    request(command, fields = {}) {
      return new Promise((resolve, reject) => {
        session.send(new smpp.PDU(command, fields), resolve);
        void closed.then(() => reject(new Error('connection lost')));
      });
    },
    submit(to, fields = {}) {
      return esme.request('submit_sm', {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: SENDER,
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: to.replace('+', ''),
        registered_delivery: 1,
        data_coding: 0,
        short_message: 'hello',
        ...fields,
      });
    },
    next(command) {
      const index = unread.findIndex((pdu) => pdu.command === command);
      const [found] = index >= 0 ? unread.splice(index, 1) : [];
      return found ? Promise.resolve(found) : new Promise((resolve) => waiters.push({ command, found: resolve }));
    },
    close: () => session.destroy(),
  };
  open.push(esme);
  return esme;
}

/** @param answerWith set before the bind, since what is owed comes right after it. */
export async function bindEsme(
  port: number,
  type = 'transceiver',
  systemId = 'causeway',
  answerWith: (number | null)[] = [],
): Promise<Esme> {
  const esme = connectEsme(port);
  esme.answerWith.push(...answerWith);
  const response = await esme.request(`bind_${type}`, { system_id: systemId, password: PASSWORD, interface_version: 0x34 });
  if (response.command_status !== 0) throw new Error(`bind refused: ${response.command_status}`);
  return esme;
}

/** The text of a decoded deliver_sm. */
export function textOf(pdu: Pdu): string {
  const { short_message: body } = pdu;
  if (typeof body !== 'object' || body === null || !('message' in body)) return '';
  return typeof body.message === 'string' ? body.message : '';
}
