import { once } from 'node:events';
import smpp, { type Session } from 'smpp';
import { createSubmitDesk } from './accept-submit.js';
import { createDeliveries, type OwedDelivery } from './deliveries.js';
import { type AcceptedPart, createHandsetMemory } from './handset-memory.js';
import { PERSONALITIES } from './receipts.js';
import { createMoDesk } from './send-mo.js';
import { createSmscSession, type SmscSession } from './session.js';
import { openStateFile, type StateLine } from './state-file.js';
import type { MobileOriginated, ReceivedMessage, SandboxSmsc, SandboxSmscOptions } from './types.js';

const CONNECTIONS_MAX = 200;
const BINDS_PER_ACCOUNT_MAX = 32;
/** Ids begin at the hour of the start, so that an SMSC without a state file does not give an id twice after a restart. */
const IDS_PER_MILLISECOND = 1_000;

/**
 * Opens the simulated operator's SMSC: the SMPP 3.4 side of the npm package `smpp`, kept in bounds.
 *
 * It reaches nobody: any destination outside `+99957…` and `+99987…` is ESME_RINVDSTADR. What it does with a message is
 * chosen by the destination's last digits (magic-numbers.ts). All waiting is on `clock`, so it should not be one that jumps
 * by hours while links are up.
 *
 * @throws the system's error when the port is taken or the state file cannot be used.
 */
export async function openSandboxSmsc(options: SandboxSmscOptions): Promise<SandboxSmsc> {
  const { clock, log, accounts } = options;
  const personality = { ...PERSONALITIES.standard, ...options.personality };
  const memory = createHandsetMemory();
  const sessions = new Set<SmscSession>();
  const listeners = new Set<(message: ReceivedMessage) => void>();
  let lastId = clock.now() * IDS_PER_MILLISECOND;
  let isClosing = false;
  const nextId = () => String(++lastId);

  const sessionsOf = (systemId: string) => [...sessions].filter((session) => session.bound()?.systemId === systemId);
  const deliveries = createDeliveries({
    clock,
    log,
    sessionsOf,
    onSettled(delivery, settlement) {
      try {
        if (settlement.kind !== 'closed') append({ settled: delivery.deliveryId });
      } catch {
        // It is sent once more after a restart, which a real SMSC does too.
        log.error('sandbox state file could not be written');
      }
      mo.onSettled(delivery.deliveryId, settlement);
    },
  });
  let mo = createMoDesk({ clock, deliveries, nextId, accountFor, keep: (owed) => append({ owed }), known: [] });
  const submits = createSubmitDesk({ clock, personality, nextId, keep });

  const state =
    options.stateFile === undefined
      ? undefined
      : await openStateFile(
          options.stateFile,
          () => ({ accepted: [...memory.parts()], owed: deliveries.owed(), requests: mo.requests() }),
          options.stateWrap,
        );
  mo = createMoDesk({ clock, deliveries, nextId, accountFor, keep: (owed) => append({ owed }), known: state?.restored.requests ?? [] });
  for (const part of state?.restored.accepted ?? []) {
    memory.accept(part);
    lastId = Math.max(lastId, Number(part.smscMessageId));
  }
  for (const delivery of state?.restored.owed ?? []) {
    deliveries.owe(delivery);
    lastId = Math.max(lastId, Number(delivery.deliveryId));
  }

  function append(...lines: StateLine[]) {
    if (!isClosing) state?.append(...lines);
  }

  function keep(accepted: AcceptedPart, receipts: OwedDelivery[], via?: SmscSession) {
    const message = memory.accept(accepted);
    const owed = receipts.filter((receipt) => deliveries.owe(receipt, via));
    if (owed.length < receipts.length) log.warn({ systemId: accepted.partnerSystemId }, 'sandbox receipt dropped: too many are owed');
    append({ accepted }, ...owed.map((receipt) => ({ owed: receipt })));
    if (message) for (const listener of listeners) tell(listener, message);
  }

  function tell(listener: (message: ReceivedMessage) => void, message: ReceivedMessage) {
    try {
      listener(message);
    } catch (failure) {
      log.error({ failure: failure instanceof Error ? failure.name : 'unknown' }, 'sandbox listener failed');
    }
  }

  function accountFor({ systemId, from, to }: MobileOriginated): string | undefined {
    if (systemId !== undefined) return accounts.find((account) => account.systemId === systemId)?.systemId;
    const byPrefix = accounts.find((account) => account.msisdnPrefixes?.some((prefix) => from.startsWith(prefix)));
    if (byPrefix || accounts.length < 2) return (byPrefix ?? accounts[0])?.systemId;
    const wrote = memory.received({ limit: Number.MAX_SAFE_INTEGER }).findLast((message) => message.to === from && message.from === to);
    return wrote?.partnerSystemId ?? accounts[0]?.systemId;
  }

  function authenticate(systemId: string, password: string): number {
    const account = accounts.find((each) => each.systemId === systemId);
    if (!account) return smpp.errors['ESME_RINVSYSID'] ?? 0x0f;
    if (account.password !== password) return smpp.errors['ESME_RINVPASWD'] ?? 0x0e;
    return sessionsOf(systemId).length < BINDS_PER_ACCOUNT_MAX ? 0 : (smpp.errors['ESME_RALYBND'] ?? 0x05);
  }

  function onSession(session: Session) {
    if (isClosing || sessions.size >= CONNECTIONS_MAX) {
      session.on('error', () => session.destroy());
      return session.destroy();
    }
    sessions.add(
      createSmscSession({
        session,
        clock,
        log,
        authenticate,
        onBound: (bound) => deliveries.pump(bound.bound()?.systemId ?? ''),
        onSubmit: (from, pdu, answer) => submits.onSubmit(from, pdu, answer),
        onClosed: (gone) => sessions.delete(gone),
      }),
    );
  }

  const server = smpp.createServer(onSession);
  try {
    server.listen(options.port, options.host);
    await once(server, 'listening');
  } catch (failure) {
    isClosing = true;
    deliveries.close();
    state?.close();
    throw failure;
  }
  server.on('error', () => log.error('sandbox smsc listener failed'));
  const address = server.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    received: (page) => memory.received(page),
    onReceived(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    submitted: (page) => memory.submitted(page),
    sendMo: (message) => mo.send(message),
    owed: () => deliveries.owed().length,
    dropLinks(systemId) {
      const dropped = systemId === undefined ? [...sessions] : sessionsOf(systemId);
      for (const session of dropped) session.destroy();
      return dropped.length;
    },
    binds: () =>
      accounts.map(({ systemId }) => ({
        systemId,
        binds: sessionsOf(systemId).flatMap((session) => {
          const bound = session.bound();
          return bound ? [{ type: bound.type, boundAt: bound.at, inFlight: session.inFlight() }] : [];
        }),
      })),
    async close() {
      if (isClosing) return;
      isClosing = true;
      submits.close();
      deliveries.close();
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
      state?.close();
      listeners.clear();
    },
  };
}
