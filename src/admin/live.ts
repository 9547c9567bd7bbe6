import type { Response } from 'express';
import type { Bus } from '../bus/index.js';
import type { Clock, Timer } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import { GatewayError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import type { ControlStore } from '../store/index.js';

export interface LiveOptions {
  control: ControlStore;
  bus: Bus;
  clock: Clock;
  log: Log;
  /** What is published when the event log grew. */
  hint: string;
  /** Whether a session still holds. */
  isSignedIn(tokenHash: string): Promise<boolean>;
  /** Streams at once: of everybody, and of one session. */
  streamsMax?: number;
  streamsPerSessionMax?: number;
}

export interface Watched {
  partnerId: string;
  subscriptionId: string;
  tokenHash: string;
}

export interface Live extends Closable {
  /**
   * Turns an answer into a stream of Server-Sent Events (HTML §9.2): `changed` whenever the line's story grew, told once
   * at the beginning too, so that nothing is missed between a page's first look and the stream. It carries no data of the
   * line: the page asks for what it shows.
   *
   * @throws GatewayError `TOO_MANY_REQUESTS` past the bounds.
   */
  open(response: Response, watched: Watched): void;
  close(): Promise<void>;
}

interface Stream extends Watched {
  response: Response;
  /** The log's position that it has been told of; undefined before the first look. */
  seen: bigint | undefined;
}

/** Hints may be lost: the log is looked at this often while somebody watches. */
const SWEEP_MS = 1_000;
/** Proxies close what is silent for a minute; a session that ended is noticed as late as this. */
const HEARTBEAT_MS = 20_000;
/** What a reader may leave unread before it is let go. */
const UNREAD_BYTES_MAX = 65_536;

export function createLive(options: LiveOptions): Live {
  const { control, bus, clock, log, streamsMax = 500, streamsPerSessionMax = 5 } = options;
  const streams = new Set<Stream>();
  let sweepTimer: Timer | undefined;
  let heartbeatTimer: Timer | undefined;
  let looking: Promise<void> | undefined;
  let isAgain = false;
  let closed = false;

  function send(stream: Stream, text: string): void {
    if (stream.response.writableLength > UNREAD_BYTES_MAX) stream.response.destroy();
    else stream.response.write(text);
  }

  /** The position of each watched partner's log is one row; only where it moved are lines looked at. */
  async function lookOnce(): Promise<void> {
    const partnerIds = [...new Set([...streams].map((stream) => stream.partnerId))];
    const counters = await control.read.eventCounter.findMany({ where: { partnerId: { in: partnerIds } } });
    const heads = new Map(counters.map(({ partnerId, position }) => [partnerId, BigInt(position)]));
    for (const stream of streams) {
      const head = heads.get(stream.partnerId) ?? 0n;
      const from = stream.seen;
      if (from === head) continue;
      const { partnerId, subscriptionId } = stream;
      const isNews =
        from === undefined ||
        (await control.read.event.findFirst({ where: { partnerId, subscriptionId, position: { gt: from } }, select: { id: true } }));
      stream.seen = head;
      if (isNews) send(stream, `event: changed\nid: ${head}\ndata: ${head}\n\n`);
    }
  }

  function look(): void {
    if (closed || streams.size === 0) return;
    isAgain = true;
    looking ??= (async () => {
      try {
        while (isAgain && !closed) {
          isAgain = false;
          await lookOnce();
        }
      } catch (failure) {
        log.warn({ failure: failure instanceof Error ? failure.name : 'unknown' }, 'the event log could not be looked at for live pages');
      } finally {
        looking = undefined;
        sweepTimer?.cancel();
        if (!closed && streams.size > 0) sweepTimer = clock.setTimer(SWEEP_MS, look);
      }
    })();
  }

  async function beat(): Promise<void> {
    for (const stream of [...streams]) {
      const holds = await options.isSignedIn(stream.tokenHash).catch(() => true);
      if (holds) send(stream, ': still here\n\n');
      else stream.response.end('event: signed-out\ndata: 1\n\n');
    }
    if (!closed && streams.size > 0) heartbeatTimer = clock.setTimer(HEARTBEAT_MS, () => void beat());
    else heartbeatTimer = undefined;
  }

  const stopListening = bus.subscribe(options.hint, look);

  return {
    open(response, watched) {
      const own = [...streams].filter((stream) => stream.tokenHash === watched.tokenHash).length;
      if (closed || streams.size >= streamsMax || own >= streamsPerSessionMax) {
        throw new GatewayError('TOO_MANY_REQUESTS', {
          detail: 'Too many pages are live at this moment.',
          hint: 'Close one of them; this one looks for news by itself until then.',
          headers: { 'Retry-After': '10' },
        });
      }
      const stream: Stream = { ...watched, response, seen: undefined };
      response.status(200).set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
      response.flushHeaders();
      streams.add(stream);
      response.once('close', () => streams.delete(stream));
      send(stream, 'retry: 2000\n\n');
      heartbeatTimer ??= clock.setTimer(HEARTBEAT_MS, () => void beat());
      look();
    },
    async close() {
      closed = true;
      stopListening();
      sweepTimer?.cancel();
      heartbeatTimer?.cancel();
      for (const { response } of streams) response.end();
      await looking;
    },
  };
}
