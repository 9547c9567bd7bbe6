import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../kernel/clock.js';
import type { CommandName } from './commands.js';
import { type Decoded, decodePdu } from './decoder.js';
import { createFramer } from './framer.js';
import { createOutbox } from './outbox.js';
import type { AnyFields } from './pdu.js';
import type { CloseReason, SessionBounds } from './session-options.js';
import { NO_TLVS } from './tlvs.js';

/** A socket that speaks PDUs: framing, batched writes, backpressure both ways, and a bounded farewell. It knows no commands. */
export interface Connection {
  /** Appends a PDU to the batch of this turn. @throws GatewayError `SMPP.BAD_PDU` when a field is out of bounds. */
  put(command: CommandName, sequence: number, commandStatus: number, given: AnyFields): void;
  /** From now on no PDU leaves with TLVs: the peer speaks a version that has none. */
  leaveOutTlvs(): void;
  readonly hasTlvs: boolean;
  flush(): void;
  /** Octets ever appended, and ever handed to the socket. */
  readonly appended: number;
  readonly handed: number;
  /** PDUs in the chunk that was read last: more than one, and their answers are worth a batch. */
  readonly framesInTurn: number;
  readonly lastHeardMs: number;
  /** Stops reading PDUs, writes what waits, closes. A peer that does not read it is cut off after a second. */
  end(): void;
  destroy(): void;
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void>;
}

export interface ConnectionOptions {
  readonly socket: Duplex;
  readonly clock: Clock;
  readonly bounds: SessionBounds;
  readonly isImmediate: () => boolean;
  readonly onPdu: (decoded: Decoded) => void;
  /** command_length was out of bounds: framing is lost. `sequence` is 0 where the header is not whole. */
  readonly onBadLength: (sequence: number) => void;
  /** The connection failed or must be given up; called until `end` or `destroy`. */
  readonly onFailure: (reason: CloseReason, errno?: string) => void;
}

/** How long a peer may take to read our last words. */
const LINGER_MS = 1_000;

export function createConnection(options: ConnectionOptions): Connection {
  const { socket, clock, bounds, onFailure } = options;
  const framer = createFramer();
  const outbox = createOutbox({ socket, isImmediate: options.isImmediate, onDrained: resume });
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  let isOpen = true;
  let hasTlvs = true;
  let isPaused = false;
  let framesInTurn = 0;
  let lastHeardMs = clock.monotonicMs();
  let partialSinceMs = 0;
  let partialTimer: Timer | undefined;
  let stallTimer: Timer | undefined;
  let lingerTimer: Timer | undefined;

  socket.on('data', (chunk: Buffer) => {
    if (!isOpen) return;
    lastHeardMs = clock.monotonicMs();
    framer.push(chunk);
    read();
  });
  socket.on('end', () => fail('peer-closed'));
  socket.on('error', (failure: NodeJS.ErrnoException) => fail('socket-failed', failure.code));
  socket.once('close', () => {
    lingerTimer?.cancel();
    fail('peer-closed');
  });

  function fail(reason: CloseReason, errno?: string): void {
    if (isOpen) onFailure(reason, errno);
  }

  function read(): void {
    framesInTurn = 0;
    while (isOpen && !isPaused) {
      const frame = framer.next();
      if (!frame) break;
      framesInTurn++;
      options.onPdu(decodePdu(frame));
    }
    if (isOpen && framer.broken) options.onBadLength(framer.broken.sequence);
    watchPartial();
  }

  /** The timer is set for a PDU that is not whole and looks again when it fires; most PDUs come whole and set none. */
  function watchPartial(): void {
    if (!isOpen || framer.partialOctets === 0) {
      partialTimer?.cancel();
      partialTimer = undefined;
      return;
    }
    if (framesInTurn > 0 || !partialTimer) partialSinceMs = clock.monotonicMs();
    partialTimer ??= clock.setTimer(bounds.pduReadTimeoutMs, checkPartial);
  }

  function checkPartial(): void {
    const restMs = partialSinceMs + bounds.pduReadTimeoutMs - clock.monotonicMs();
    if (restMs > 0) partialTimer = clock.setTimer(restMs, checkPartial);
    else fail('pdu-read-timeout');
  }

  function boundUnsent(): void {
    if (outbox.unsentOctets > bounds.unsentCloseOctets) {
      fail('peer-not-reading');
      return;
    }
    if (outbox.unsentOctets <= bounds.unsentPauseOctets || isPaused || !isOpen) return;
    isPaused = true;
    socket.pause();
    stallTimer = clock.setTimer(bounds.responseTimeoutMs, () => fail('peer-not-reading'));
  }

  function resume(): void {
    if (!isPaused || !isOpen) return;
    isPaused = false;
    stallTimer?.cancel();
    socket.resume();
    read();
  }

  function stop(): void {
    isOpen = false;
    partialTimer?.cancel();
    stallTimer?.cancel();
  }

  return {
    put(command, sequence, commandStatus, given) {
      if (!isOpen) return;
      outbox.put(command, sequence, commandStatus, hasTlvs ? given : { ...given, tlvs: NO_TLVS });
      boundUnsent();
    },
    leaveOutTlvs() {
      hasTlvs = false;
    },
    get hasTlvs() {
      return hasTlvs;
    },
    flush: () => outbox.flush(),
    get appended() {
      return outbox.appended;
    },
    get handed() {
      return outbox.handed;
    },
    get framesInTurn() {
      return framesInTurn;
    },
    get lastHeardMs() {
      return lastHeardMs;
    },
    end() {
      if (!isOpen) return;
      stop();
      outbox.flush();
      socket.end();
      // Unread octets would make the kernel reset the connection and take our last words with it.
      socket.resume();
      lingerTimer = clock.setTimer(LINGER_MS, () => socket.destroy());
    },
    destroy() {
      if (isOpen) stop();
      socket.destroy();
    },
    gone,
  };
}
