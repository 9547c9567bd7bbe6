import type { Duplex } from 'node:stream';
import type { CommandName } from './commands.js';
import { createEncoder } from './encoder.js';
import type { AnyFields } from './pdu.js';

/** Where PDUs wait to be written: all of one turn leave in one `socket.write`. */
export interface Outbox {
  /** Appends a PDU. @throws GatewayError `SMPP.BAD_PDU` when a field is out of bounds. */
  put(command: CommandName, sequence: number, commandStatus: number, given: AnyFields): void;
  /** The socket took no more; nothing is written until it drains. */
  readonly isCongested: boolean;
  /** Writes what waits, unless the socket is congested; then its `drain` does. */
  flush(): void;
  /** Octets that no write has taken to the kernel yet, ours and the socket's. */
  readonly unsentOctets: number;
  /** Octets ever appended, and ever handed to the socket: a PDU that ends past `handed` has certainly not left. */
  readonly appended: number;
  readonly handed: number;
}

export interface OutboxOptions {
  readonly socket: Duplex;
  /** Whether there is nothing to batch with (a window of 1): then write at once. */
  readonly isImmediate: () => boolean;
  /** Called after the socket has taken all again that it had refused. */
  readonly onDrained: () => void;
}

/** A batch is written early past this, so that a large turn does not become one large copy. */
const BATCH_OCTETS_MAX = 65_536;

export function createOutbox({ socket, isImmediate, onDrained }: OutboxOptions): Outbox {
  const encoder = createEncoder();
  let appended = 0;
  let handed = 0;
  let isScheduled = false;
  let isCongested = false;

  socket.on('drain', () => {
    isCongested = false;
    flush();
    if (!isCongested) onDrained();
  });

  function flush(): void {
    isScheduled = false;
    if (encoder.length === 0 || isCongested || socket.destroyed || socket.writableEnded) return;
    const batch = encoder.take();
    handed += batch.length;
    isCongested = !socket.write(batch);
  }

  return {
    put(command, sequence, commandStatus, given) {
      const before = encoder.length;
      encoder.put(command, sequence, commandStatus, given);
      appended += encoder.length - before;
      if (isImmediate() || encoder.length >= BATCH_OCTETS_MAX) return flush();
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(flush);
    },
    flush,
    get isCongested() {
      return isCongested;
    },
    get unsentOctets() {
      return encoder.length + socket.writableLength;
    },
    get appended() {
      return appended;
    },
    get handed() {
      return handed;
    },
  };
}
