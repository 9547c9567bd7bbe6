import smpp, { type Pdu, type Session } from 'smpp';
import type { Clock, Instant, Timer } from '../../kernel/clock.js';
import type { Log } from '../../kernel/log.js';
import { writeAddress } from './addresses.js';
import type { DeliverFields } from './deliveries.js';

export type BindType = 'transmitter' | 'receiver' | 'transceiver';

/** What became of one `deliver_sm`: exactly one of these, always. */
export type DeliverOutcome = { kind: 'response'; status: number } | { kind: 'timeout' } | { kind: 'lost' };

/** Answers one `submit_sm`; the id goes with status 0. */
export type AnswerSubmit = (status: number, messageId?: string) => void;

/** One ESME's connection. */
export interface SmscSession {
  bound(): { systemId: string; type: BindType; at: Instant } | undefined;
  inFlight(): number;
  canReceive(): boolean;
  deliver(fields: DeliverFields): Promise<DeliverOutcome>;
  destroy(): void;
}

export interface SmscSessionOptions {
  session: Session;
  clock: Clock;
  log: Log;
  /** The command_status for this bind, 0 to let it in. */
  authenticate(systemId: string, password: string): number;
  onBound(session: SmscSession): void;
  onSubmit(session: SmscSession, pdu: Pdu, answer: AnswerSubmit): void;
  onClosed(session: SmscSession): void;
}

const BIND_WITHIN_MS = 30_000;
/** After this long without a PDU the peer is asked; after as long again it is cut off. */
const IDLE_MS = 60_000;
const RESPONSE_TIMEOUT_MS = 10_000;
const CLOSE_WITHIN_MS = 5_000;
/** Answers that the peer has not read: reading pauses at the first bound, the connection ends at the second. */
const UNREAD_PAUSE_BYTES = 262_144;
const UNREAD_MAX_BYTES = 1_048_576;
const HEADER_BYTES = 16;
const INTERFACE_VERSION_3_4 = 0x34;

const status = (name: string): number => smpp.errors[name] ?? 0xff;
const BIND = /^bind_(transmitter|receiver|transceiver)$/;

/**
 * Keeps one connection of the `smpp` package in bounds: bind before anything else, timers, unread answers, and whatever makes
 * the package throw or stop reading ends this connection and nothing more.
 */
export function createSmscSession(options: SmscSessionOptions): SmscSession {
  const { session, clock, log } = options;
  const { socket } = session;
  const pending = new Map<number, { settle(outcome: DeliverOutcome): void }>();
  const timers = new Set<Timer>();
  let bound: ReturnType<SmscSession['bound']>;
  let closed = false;
  let heardAt = clock.now();

  const self: SmscSession = {
    bound: () => (socket.destroyed ? undefined : bound),
    inFlight: () => pending.size,
    canReceive: () => !closed && bound !== undefined && bound.type !== 'transmitter' && socket.writable,
    deliver,
    destroy: () => session.destroy(),
  };

  function after(delayMs: number, run: () => void): Timer {
    const timer = clock.setTimer(delayMs, () => {
      timers.delete(timer);
      run();
    });
    timers.add(timer);
    return timer;
  }

  /** False when it did not leave; the connection is then on its way down. */
  function send(pdu: Pdu): boolean {
    try {
      if (closed || !session.send(pdu)) return false;
    } catch {
      session.destroy();
      return false;
    }
    if (socket.writableLength > UNREAD_MAX_BYTES) session.destroy();
    else if (socket.writableLength > UNREAD_PAUSE_BYTES) session.pause();
    return true;
  }

  function deliver(fields: DeliverFields): Promise<DeliverOutcome> {
    const source = writeAddress(fields.from);
    const destination = writeAddress(fields.to);
    const pdu = new smpp.PDU('deliver_sm', {
      source_addr_ton: source.ton,
      source_addr_npi: source.npi,
      source_addr: source.address,
      dest_addr_ton: destination.ton,
      dest_addr_npi: destination.npi,
      destination_addr: destination.address,
      esm_class: fields.esmClass,
      data_coding: fields.dataCoding,
      short_message: fields.udh === undefined ? fields.text : { udh: Buffer.from(fields.udh, 'hex'), message: fields.text },
      ...(fields.receipt && { receipted_message_id: fields.receipt.messageId, message_state: fields.receipt.state }),
    });
    if (!send(pdu)) return Promise.resolve({ kind: 'lost' });
    return new Promise((resolve) => {
      const sequence = pdu.sequence_number;
      const settle = (outcome: DeliverOutcome) => {
        pending.delete(sequence);
        timers.delete(timer);
        timer.cancel();
        resolve(outcome);
      };
      const timer = after(RESPONSE_TIMEOUT_MS, () => settle({ kind: 'timeout' }));
      pending.set(sequence, { settle });
    });
  }

  function onBind(pdu: Pdu, type: BindType) {
    if (bound) return void send(pdu.response({ command_status: status('ESME_RALYBND') }));
    const { system_id: systemId, password } = pdu;
    const isComplete = typeof systemId === 'string' && typeof password === 'string';
    const refusal = isComplete ? options.authenticate(systemId, password) : status('ESME_RINVSYSID');
    if (refusal !== 0 || !isComplete) {
      log.info({ commandStatus: refusal }, 'sandbox bind refused');
      send(pdu.response({ command_status: refusal }));
      return end();
    }
    bound = { systemId, type, at: clock.now() };
    send(pdu.response({ system_id: 'sandbox', sc_interface_version: INTERFACE_VERSION_3_4 }));
    log.info({ systemId, bindType: type }, 'sandbox esme bound');
    options.onBound(self);
  }

  /** Lets what was written leave, then closes, also when the peer does not. */
  function end() {
    session.close();
    after(CLOSE_WITHIN_MS, () => session.destroy());
  }

  function onSubmit(pdu: Pdu) {
    if (!bound || bound.type === 'receiver') return void send(pdu.response({ command_status: status('ESME_RINVBNDSTS') }));
    let isAnswered = false;
    options.onSubmit(self, pdu, (commandStatus, messageId) => {
      if (isAnswered) return;
      isAnswered = true;
      send(pdu.response(commandStatus === 0 ? { message_id: messageId } : { command_status: commandStatus }));
    });
  }

  function onPdu(pdu: Pdu) {
    heardAt = clock.now();
    const bindType = BIND.exec(pdu.command)?.[1];
    if (pdu.isResponse()) return pending.get(pdu.sequence_number)?.settle({ kind: 'response', status: pdu.command_status });
    if (bindType === 'transmitter' || bindType === 'receiver' || bindType === 'transceiver') return onBind(pdu, bindType);
    if (pdu.command === 'submit_sm') return onSubmit(pdu);
    if (pdu.command === 'enquire_link') return void send(pdu.response());
    if (pdu.command === 'unbind') {
      bound = undefined;
      send(pdu.response());
      return end();
    }
    send(new smpp.PDU('generic_nack', { sequence_number: pdu.sequence_number, command_status: status('ESME_RINVCMDID') }));
  }

  function watchSilence() {
    after(IDLE_MS, () => {
      const silentMs = clock.now() - heardAt;
      if (silentMs >= 2 * IDLE_MS) return session.destroy();
      if (silentMs >= IDLE_MS) send(new smpp.PDU('enquire_link', {}));
      watchSilence();
    });
  }

  session.on('pdu', (pdu: Pdu) => {
    if (closed) return;
    try {
      onPdu(pdu);
    } catch (failure) {
      log.warn({ failure: failure instanceof Error ? failure.name : 'unknown' }, 'sandbox session failed');
      session.destroy();
    }
  });
  session.on('error', () => session.destroy());
  // The package reads a length below 16 and then waits for ever, or loses the framing; its listener has run before this one.
  socket.on('readable', () => {
    const length = session._command_length;
    if (typeof length === 'number' && length < HEADER_BYTES) session.destroy();
  });
  socket.on('drain', () => session.resume());
  session.on('close', () => {
    closed = true;
    bound = undefined;
    for (const timer of timers) timer.cancel();
    timers.clear();
    for (const waiter of pending.values()) waiter.settle({ kind: 'lost' });
    options.onClosed(self);
  });
  after(BIND_WITHIN_MS, () => bound === undefined && session.destroy());
  watchSilence();
  return self;
}
