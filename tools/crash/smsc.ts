import { systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { openSandboxSmsc } from '../../src/sandbox/index.js';

/** What lies on a handset. */
export interface HandsetSms {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** The operator's SMSC, which goes on while gateways die. */
export interface Smsc {
  readonly port: number;
  readonly password: string;
  /** Every SMS that reached a handset, oldest first. Each part of it was answered with status 0. */
  readonly handsets: readonly HandsetSms[];
  /** @returns when the gateway has answered every part with status 0, however often it died before that. */
  answer(sms: HandsetSms): Promise<void>;
  /** Receipts and answers that the gateway has not taken yet. */
  owed(): number;
  close(): Promise<void>;
}

const SYSTEM_ID = 'causeway';

/**
 * @param password at most 8 characters (SMPP 3.4 §4.1.1).
 * @param onSms told of each SMS that reaches a handset, before its submit is answered.
 */
export async function openSmsc(password: string, onSms: () => void): Promise<Smsc> {
  const accounts = [{ systemId: SYSTEM_ID, password, msisdnPrefixes: ['+99957'] }];
  const smsc = await openSandboxSmsc({ host: '127.0.0.1', port: 0, accounts, clock: systemClock, log: createLog('silent') });
  const handsets: HandsetSms[] = [];
  smsc.onReceived(({ from, to, text }) => {
    handsets.push({ from, to, text });
    onSms();
  });
  return {
    port: smsc.port,
    password,
    handsets,
    answer: ({ from, to, text }) => smsc.sendMo({ from, to, text, systemId: SYSTEM_ID }),
    owed: () => smsc.owed(),
    close: () => smsc.close(),
  };
}
