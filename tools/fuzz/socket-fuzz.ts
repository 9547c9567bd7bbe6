import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { COMMANDS, isResponseId } from '../../src/smpp/commands.js';
import { encodePdu } from '../../src/smpp/encoder.js';
import { createFramer } from '../../src/smpp/framer.js';
import { type ListenerAccount, openListener } from '../../src/smpp/index.js';
import { openSession } from '../../src/smpp/session.js';
import type { BindType } from '../../src/smpp/session-options.js';
import { judgeStream, type Verdict } from './judge.js';
import { createMutator } from './mutate.js';
import { createRandom } from './random.js';
import { COMMAND_NAMES, createPduMaker } from './random-pdu.js';

/** Mutated PDUs of every command at sessions of both sides, over TCP. */
export interface SocketFuzz {
  /** @throws Error with the octets when a session broke a promise: an OK for what is broken, two answers, none. */
  run(count: number): Promise<void>;
  readonly done: number;
  readonly counts: Readonly<Record<'ok' | 'refused' | 'nacked' | 'unanswered' | 'closed', number>>;
  /** The longest that anything sent waited for its answer or for the close. */
  readonly slowestMs: number;
  close(): Promise<void>;
}

export interface SocketFuzzOptions {
  readonly seed: number;
  readonly clock: Clock;
  /** Called while a session waits for the rest of a PDU that never comes; a fake clock moves here. */
  readonly passTime: () => Promise<void>;
  /** By what answers are timed; `performance.now` unless told otherwise. */
  readonly elapsedMs?: () => number;
}

const ACCOUNT = { systemId: 'fuzz', password: 'fuzz' };
const ROOMS: readonly (BindType | 'open')[] = ['open', 'transmitter', 'receiver', 'transceiver'];
const LANES = 16;
/** What follows each mutated PDU; its answer shows that the session goes on. */
const SENTINEL = 0x7fff_fff0;
export const PDU_READ_TIMEOUT_MS = 200;
/** A session that neither answers nor closes is wedged: the run ends with its octets instead of waiting for ever. */
const GIVE_UP_MS = 60_000;
const BOUNDS = { enquireLinkMs: 0, pduReadTimeoutMs: PDU_READ_TIMEOUT_MS, bindTimeoutMs: 3_600_000 };
const handle = async () => ({ messageId: 'm1' });
const HANDLERS = { submit_sm: handle, submit_multi: handle, data_sm: handle, query_sm: handle, cancel_sm: handle, replace_sm: handle };

/** One session under test and the raw socket that speaks to it. */
interface Wire {
  readonly socket: Socket;
  readonly isOpen: () => boolean;
  /** What came since the last call. */
  readonly take: () => Buffer[];
  /** Resolves when something comes or the connection ends. */
  readonly news: () => Promise<void>;
}

export async function createSocketFuzz({
  seed,
  clock,
  passTime,
  elapsedMs = () => performance.now(),
}: SocketFuzzOptions): Promise<SocketFuzz> {
  const random = createRandom(seed);
  // Drawn when a session ends, which is not the same moment in each run: it must not move the PDUs.
  const drawRoom = createRandom(seed ^ 0x1b873593);
  const mutate = createMutator(seed ^ 0x2545f491);
  const make = createPduMaker(seed);
  const log = createLog('silent');
  const account: ListenerAccount = {
    ...ACCOUNT, bindTypes: ['transmitter', 'receiver', 'transceiver'], bindsMax: 1_000, allowedAddresses: ['127.0.0.1'], handlers: HANDLERS,
  }; // biome-ignore format: one account
  const listener = await openListener({
    host: '127.0.0.1',
    port: 0,
    systemId: 'fuzzed',
    findAccount: () => account,
    bounds: BOUNDS,
    clock,
    log,
  });
  const smsc = await openSmsc();
  const counts = { ok: 0, refused: 0, nacked: 0, unanswered: 0, closed: 0 };
  let drawn = 0;
  let done = 0;
  let slowestMs = 0;

  /** A session of ours as ESME, bound to a server that we drive by hand. */
  async function openEsme(bindType: BindType): Promise<Wire> {
    const socket = connect({ port: smsc.port, host: '127.0.0.1', noDelay: true });
    const accepted = smsc.next();
    const handlers = { deliver_sm: async () => ({}), data_sm: async () => ({}) };
    await once(socket, 'connect');
    const session = openSession({ socket, role: 'esme', clock, log, bounds: BOUNDS, handlers });
    const bound = session.bind(bindType, ACCOUNT);
    const wire = watch(await accepted);
    await wire.news();
    const [request] = wire.take();
    wire.socket.write(encodePdu({ command: `bind_${bindType}_resp`, sequence: request?.readUInt32BE(12) ?? 0 }));
    await bound;
    return wire;
  }

  /** A session of our listener, bound or not. */
  async function openEsmeOf(room: BindType | 'open'): Promise<Wire> {
    const socket = connect({ port: listener.port, host: '127.0.0.1', noDelay: true });
    const wire = watch(socket);
    await once(socket, 'connect');
    if (room === 'open') return wire;
    socket.write(encodePdu({ command: `bind_${room}`, sequence: 1, ...ACCOUNT, interfaceVersion: 0x34 }));
    await wire.news();
    wire.take();
    return wire;
  }

  const openWire = (): Promise<Wire> => {
    const room = ROOMS[drawRoom(ROOMS.length)] ?? 'open';
    return drawRoom(2) === 0 || room === 'open' ? openEsmeOf(room) : openEsme(room);
  };

  /** Sends one mutated PDU and looks at all that comes of it. */
  async function one(wire: Wire): Promise<void> {
    const command = COMMAND_NAMES[random(COMMAND_NAMES.length)] ?? 'submit_sm';
    const octets = mutate(encodePdu(make(command)), random(8) !== 0);
    const sentinel = encodePdu({ command: 'enquire_link', sequence: SENTINEL });
    let sent = Buffer.concat([octets, sentinel]);
    const isWithin = judgeStream(sent);
    // A command_length that grew to just where the sentinel ends has made it a part of the body.
    const isSwallowed = isWithin.end === 'whole' && !isWithin.pdus.some(({ sequence }) => sequence === SENTINEL);
    if (isSwallowed) sent = Buffer.concat([sent, sentinel]);
    const { pdus, end } = judgeStream(sent);
    const shown = `seed ${seed}, PDU ${drawn++}: ${sent.toString('hex')}`;
    const startedMs = elapsedMs();
    let isGivenUp = false;
    const giveUp = setTimeout(() => {
      isGivenUp = true;
      wire.socket.destroy();
    }, GIVE_UP_MS);
    wire.socket.write(sent);
    const answers: Buffer[] = [];
    const isOver = () => answers.some((answer) => answer.readUInt32BE(12) === SENTINEL) || !wire.isOpen();
    while (!isOver()) {
      if (end === 'partial') await Promise.race([wire.news(), passTime()]);
      else await wire.news();
      answers.push(...wire.take());
    }
    clearTimeout(giveUp);
    slowestMs = Math.max(slowestMs, elapsedMs() - startedMs);
    const problem = isGivenUp ? 'neither answered nor closed' : problemWith(pdus, answers, wire.isOpen());
    if (problem) throw new Error(`${problem}: ${shown} → ${answers.map((each) => each.toString('hex')).join(' ')}`);
    count(answers, wire.isOpen());
    done++;
  }

  function count(answers: readonly Buffer[], isOpen: boolean): void {
    const answer = answers.find((each) => each.readUInt32BE(12) !== SENTINEL);
    if (!isOpen) counts.closed++;
    else if (!answer) counts.unanswered++;
    else if (answer.readUInt32BE(4) === COMMANDS.generic_nack.id) counts.nacked++;
    else if (answer.readUInt32BE(8) === 0) counts.ok++;
    else counts.refused++;
  }

  async function lane(until: number): Promise<void> {
    let wire: Wire | undefined;
    while (started < until) {
      started++;
      if (!wire?.isOpen()) wire = await openWire();
      await one(wire);
    }
    wire?.socket.destroy();
  }
  let started = 0;

  return {
    async run(more) {
      const until = started + more;
      await Promise.all(Array.from({ length: LANES }, () => lane(until)));
    },
    get done() {
      return done;
    },
    counts,
    get slowestMs() {
      return slowestMs;
    },
    async close() {
      smsc.close();
      await listener.close();
    },
  };
}

/** Why these answers to those PDUs are wrong. A session that goes on has answered them all. */
function problemWith(pdus: readonly Verdict[], answers: readonly Buffer[], isOpen: boolean): string | undefined {
  const asked = pdus.filter(({ isResponse }) => !isResponse);
  for (const answer of answers) {
    const id = answer.readUInt32BE(4);
    const sequence = answer.readUInt32BE(12);
    if (!isResponseId(id)) continue;
    const at = asked.findIndex((pdu) => pdu.sequence === sequence);
    if (at < 0) {
      // The nack of a command_length that broke the stream names whatever stands at the sequence's place.
      if (id === COMMANDS.generic_nack.id && answer.readUInt32BE(8) !== 0) continue;
      return `an answer to nothing, sequence ${sequence}`;
    }
    const [pdu] = asked.splice(at, 1);
    if (answer.readUInt32BE(8) === 0 && !pdu?.isSound) return `an OK for a broken ${pdu?.command ?? 'command'}`;
  }
  const unanswered = asked.find(({ command, isSound }) => !isSound || (command !== 'outbind' && command !== 'alert_notification'));
  return isOpen && unanswered ? `no answer to sequence ${unanswered.sequence}` : undefined;
}

function watch(socket: Socket): Wire {
  const framer = createFramer();
  const got: Buffer[] = [];
  let isOpen = true;
  let tell = (): void => undefined;
  socket.on('data', (chunk: Buffer) => {
    framer.push(chunk);
    for (let frame = framer.next(); frame; frame = framer.next()) got.push(frame);
    tell();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isOpen = false;
    tell();
  });
  return {
    socket,
    isOpen: () => isOpen,
    take: () => got.splice(0),
    news: () => (got.length > 0 || !isOpen ? Promise.resolve() : new Promise((resolve) => (tell = resolve))),
  };
}

/** A server that hands over whoever connects. */
async function openSmsc(): Promise<{ port: number; next(): Promise<Socket>; close(): void }> {
  const waits: ((socket: Socket) => void)[] = [];
  const server: Server = createServer({ noDelay: true }, (socket) => waits.shift()?.(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    next: () => new Promise((resolve) => waits.push(resolve)),
    close: () => server.close(),
  };
}
