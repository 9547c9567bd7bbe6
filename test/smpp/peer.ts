import { once } from 'node:events';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import type { CommandName } from '../../src/smpp/commands.js';
import { decodePdu } from '../../src/smpp/decoder.js';
import { encodePdu } from '../../src/smpp/encoder.js';
import { createFramer } from '../../src/smpp/framer.js';
import type { OutgoingPdu, Pdu, PduOf } from '../../src/smpp/pdu.js';

/** Two ends of a wire in memory: in order, in whole chunks, one turn later. `hold` lets an end take nothing more. */
export function createWire(): [near: Duplex, far: Duplex & { hold: () => void }] {
  const ends: (Duplex & { hold: () => void })[] = [];
  const open = (index: number): Duplex & { hold: () => void } => {
    let isHeld = false;
    const other = () => ends[1 - index];
    const end = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        const to = other();
        if (to && held(to)) return;
        setImmediate(() => {
          if (to && !to.destroyed) to.push(chunk);
          done();
        });
      },
      final(done) {
        setImmediate(() => {
          const to = other();
          if (to && !to.destroyed) to.push(null);
          done();
        });
      },
      destroy(failure, done) {
        setImmediate(() => {
          const to = other();
          if (to && !to.destroyed) to.push(null);
          done(failure);
        });
      },
      allowHalfOpen: false,
    });
    return Object.assign(end, {
      hold: () => {
        isHeld = true;
      },
      isHeld: () => isHeld,
    });
  };
  const held = (end: Duplex) => 'isHeld' in end && typeof end.isHeld === 'function' && end.isHeld() === true;
  ends.push(open(0), open(1));
  const [near, far] = ends;
  if (!near || !far) throw new Error('no wire');
  return [near, far];
}

/** The other side of a session, driven by hand. */
export interface Peer {
  /** Every PDU that came, in order. */
  readonly got: Pdu[];
  send(...pdus: OutgoingPdu[]): void;
  raw(octets: Buffer): void;
  /** The next PDU of this command that was not taken yet; waits for it. Rejects when the connection ends first. */
  next<C extends CommandName>(command: C): Promise<PduOf<C>>;
  /** The other side said that it is over; the connection is gone, however that came. */
  readonly ended: Promise<void>;
  readonly closed: Promise<void>;
  /** Reads nothing any more. */
  holdReading(): void;
  /** What was sent and the kernel has not taken. */
  readonly unsentOctets: number;
  destroy(): void;
}

export function createPeer(socket: Duplex): Peer {
  const framer = createFramer();
  const got: Pdu[] = [];
  const fresh: Pdu[] = [];
  const waits: { command: CommandName; resolve: (pdu: Pdu) => void; reject: (failure: Error) => void }[] = [];
  let isOver = false;
  socket.on('data', (chunk: Buffer) => {
    framer.push(chunk);
    for (let frame = framer.next(); frame; frame = framer.next()) {
      const decoded = decodePdu(frame);
      if (decoded.kind !== 'pdu') throw new Error(`the session under test sent ${decoded.kind}`);
      got.push(decoded.pdu);
      const index = waits.findIndex(({ command }) => command === decoded.pdu.command);
      if (index >= 0) waits.splice(index, 1)[0]?.resolve(decoded.pdu);
      else fresh.push(decoded.pdu);
    }
  });
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    const over = () => {
      isOver = true;
      for (const { command, reject } of waits.splice(0)) reject(new Error(`the connection ended before ${command} came`));
      resolve();
    };
    socket.once('end', over);
    socket.once('close', over);
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    got,
    send(...pdus) {
      socket.write(Buffer.concat(pdus.map(encodePdu)));
    },
    raw(octets) {
      socket.write(octets);
    },
    next<C extends CommandName>(command: C) {
      const index = fresh.findIndex((pdu) => pdu.command === command);
      if (index >= 0) return Promise.resolve(fresh.splice(index, 1)[0] as PduOf<C>);
      if (isOver) return Promise.reject(new Error(`the connection ended before ${command} came`));
      return new Promise<PduOf<C>>((resolve, reject) => waits.push({ command, resolve: resolve as (pdu: Pdu) => void, reject }));
    },
    ended,
    closed,
    holdReading: () => void socket.pause(),
    get unsentOctets() {
      return socket.writableLength;
    },
    destroy: () => socket.destroy(),
  };
}

/** A hand-driven ESME over a real socket. */
export async function connectPeer(port: number): Promise<Peer> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return createPeer(socket);
}

/** Lets everything that is due in this and the next few turns of the event loop happen. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
