import type { SdkClock } from './clock.js';
import { isRecord, MessagingError, parseJsonObject, toMessagingError } from './problem.js';
import type { RandomBytes } from './random.js';
import type { Call, Envelope } from './wire.js';

const SUBPROTOCOL = 'causeway.v1';
const FRAME_LIMIT = 256 * 1024;
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30_000;
const ANSWER_TIMEOUT_MS = 15_000;
/** The server pings every 30 s; after two missed pings nobody is there. */
const SILENCE_MS = 75_000;

/** Why the server closed (the contract's codes). */
const CLOSED = { auth: 4401, elsewhere: 4409 } as const;

/** The part of a WebSocket that is used; the browser's, Node's and that of the package `ws` all have it. */
export interface StreamSocket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void;
  /** Only `ws` tells of pings. Where it is missing, a silent connection is tried with a call. */
  on?(event: 'ping', listener: () => void): void;
  terminate?(): void;
}

export type StreamSocketConstructor = new (url: string, protocols: string[]) => StreamSocket;

/** `elsewhere`: another connection of this device took over, and this one does not fight it. */
export type StreamState = 'connecting' | 'open' | 'waiting' | 'elsewhere' | 'closed';

export interface Stream {
  isOpen(): boolean;
  /** A call over the socket. Rejects with `CLIENT.STREAM_LOST` when the socket goes before the answer comes. */
  call: Call;
  close(): void;
}

/** `globalThis.WebSocket`, or the package `ws` where the platform has none (Node 20). */
export async function defaultWebSocket(): Promise<StreamSocketConstructor> {
  const native = (globalThis as { WebSocket?: unknown }).WebSocket;
  return (native ?? (await import('ws')).WebSocket) as StreamSocketConstructor;
}

/**
 * Keeps a WebSocket to `/messaging/v1/stream` open, and hands each envelope to `onEnvelope`, one after the other.
 *
 * Its answer 200 is the ack that deletes the envelope, so it is sent only after `onEnvelope` has resolved. When that
 * rejects, the server gets 503 and the socket is closed: the same envelope comes again, first, after the back-off.
 * Back-off doubles from 0.5 s to 30 s, with up to half of it taken off at random, and starts anew
 * once an envelope was handled or the queue was empty: a socket that opens and dies at once still backs off.
 */
export function openStream(given: {
  url: string;
  webSocket: StreamSocketConstructor;
  clock: SdkClock;
  random: RandomBytes;
  accessToken: () => Promise<string>;
  forgetToken: () => void;
  onEnvelope: (envelope: Envelope) => Promise<void>;
  onQueueEmpty?: () => void;
  /** `failures` counts connections in a row that did not open. */
  onState?: (state: StreamState, failures: number) => void;
}): Stream {
  const { clock, webSocket: WebSocketImplementation } = given;
  const url = `${given.url.replace(/\/+$/, '').replace(/^http/, 'ws')}/messaging/v1/stream`;
  const answers = new Map<string, { resolve: (body: unknown) => void; reject: (error: Error) => void; timer: { cancel(): void } }>();
  let socket: StreamSocket | undefined;
  let isOpen = false;
  let isClosed = false;
  let failures = 0;
  let attempts = 0;
  let nextId = 0;
  let waiting: { cancel(): void } | undefined;
  let silence: { cancel(): void } | undefined;
  let inbound: Promise<unknown> = Promise.resolve();

  function lose(): void {
    isOpen = false;
    silence?.cancel();
    for (const [id, answer] of answers) {
      answers.delete(id);
      answer.timer.cancel();
      answer.reject(new MessagingError('CLIENT.STREAM_LOST', 'The stream closed before the answer came.'));
    }
  }

  function backOff(): void {
    const full = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempts);
    attempts = Math.min(attempts + 1, 10);
    const [roll = 0] = given.random(1);
    waiting = clock.setTimer(Math.round(full * (1 - roll / 512)), () => void connect());
    given.onState?.('waiting', failures);
  }

  async function connect(): Promise<void> {
    given.onState?.('connecting', failures);
    let token: string;
    try {
      token = await given.accessToken();
    } catch {
      failures += 1;
      if (!isClosed) backOff();
      return;
    }
    if (isClosed) return;
    const mine = new WebSocketImplementation(url, [SUBPROTOCOL, `bearer.${token}`]);
    socket = mine;
    const heard = () => {
      if (mine !== socket) return;
      silence?.cancel();
      silence = clock.setTimer(SILENCE_MS, () => (mine.on ? abandon(mine) : probe(mine)));
    };
    silence = clock.setTimer(ANSWER_TIMEOUT_MS, () => abandon(mine));
    mine.on?.('ping', heard);
    mine.addEventListener('error', () => {
      // Not every platform follows a refused handshake with a close event; after the open one always comes.
      if (mine === socket && !isOpen) ended(mine, 1006);
    });
    mine.addEventListener('open', () => {
      if (mine !== socket) return mine.close(1000);
      isOpen = true;
      failures = 0;
      heard();
      given.onState?.('open', 0);
    });
    mine.addEventListener('message', ({ data }) => {
      heard();
      if (mine !== socket || typeof data !== 'string') return;
      if (data.length > FRAME_LIMIT) mine.close(4413, 'frame too large');
      else read(mine, data);
    });
    mine.addEventListener('close', ({ code }) => ended(mine, code));
  }

  function ended(which: StreamSocket, code: number): void {
    if (which !== socket) return;
    socket = undefined;
    if (!isOpen) failures += 1;
    lose();
    if (isClosed) return;
    if (code === CLOSED.elsewhere) {
      isClosed = true;
      given.onState?.('elsewhere', 0);
      return;
    }
    // A handshake refused with 401 shows no code at all, so a socket that never opened also asks for a new token.
    if (code === CLOSED.auth || failures > 0) given.forgetToken();
    backOff();
  }

  /** Leaves a connection on which nobody answers, without waiting for its close handshake. */
  function abandon(which: StreamSocket): void {
    ended(which, 1006);
    if (which.terminate) which.terminate();
    else which.close();
  }

  /** Where pings cannot be seen, a cheap call tells whether somebody is there; a refusal is an answer too. */
  function probe(which: StreamSocket): void {
    call('GET', '/bridge-keys').catch((error: unknown) => {
      if (error instanceof MessagingError && error.status === 0) abandon(which);
    });
  }

  function read(from: StreamSocket, text: string): void {
    const frame = parseJsonObject(text);
    const id = frame?.['id'];
    if (!frame || typeof id !== 'string') return;
    if (frame['t'] === 'res') settle(id, frame['status'], frame['body']);
    if (frame['t'] !== 'req') return;
    const answer = (status: number) => {
      if (from === socket) from.send(JSON.stringify({ id, t: 'res', status }));
    };
    const path = `${String(frame['verb'])} ${String(frame['path'])}`;
    const envelope = frame['body'];
    if (path === 'PUT /queue/empty') {
      // Said in its turn: only when every envelope before it has been handled.
      attempts = 0;
      inbound = inbound.then(() => given.onQueueEmpty?.());
      answer(200);
    } else if (path === 'PUT /message' && isEnvelope(envelope)) {
      inbound = inbound.then(() => handle(from, envelope, answer));
    } else {
      answer(path === 'PUT /message' ? 400 : 404);
    }
  }

  async function handle(from: StreamSocket, envelope: Envelope, answer: (status: number) => void): Promise<void> {
    // After a failure nothing behind the failed envelope may overtake it.
    if (from !== socket) return;
    try {
      await given.onEnvelope(envelope);
      attempts = 0;
      answer(200);
    } catch {
      answer(503);
      if (from !== socket) return;
      // The close handshake takes a round trip in which more envelopes arrive; from here on they are not looked at.
      socket = undefined;
      lose();
      from.close(4000, 'not handled');
      if (!isClosed) backOff();
    }
  }

  function settle(id: string, status: unknown, body: unknown): void {
    const waitingFor = answers.get(id);
    if (!waitingFor || typeof status !== 'number') return;
    answers.delete(id);
    waitingFor.timer.cancel();
    if (status >= 200 && status < 300) waitingFor.resolve(body);
    else waitingFor.reject(toMessagingError(status, body));
  }

  function call<T>(verb: string, path: string, body?: unknown): Promise<T> {
    const current = socket;
    if (!current || !isOpen) return Promise.reject(new MessagingError('CLIENT.STREAM_LOST', 'The stream is not open.'));
    const id = `c${nextId++}`;
    return new Promise<T>((resolve, reject) => {
      const timer = clock.setTimer(ANSWER_TIMEOUT_MS, () => {
        answers.delete(id);
        reject(new MessagingError('CLIENT.TIMEOUT', `No answer within ${ANSWER_TIMEOUT_MS} ms.`));
      });
      answers.set(id, { resolve: (answer) => resolve((isRecord(answer) ? answer : {}) as T), reject, timer });
      current.send(JSON.stringify({ id, t: 'req', verb, path, ...(body === undefined ? {} : { body }) }));
    });
  }

  void connect();

  return {
    isOpen: () => isOpen,
    call,
    close() {
      if (isClosed) return;
      isClosed = true;
      waiting?.cancel();
      const last = socket;
      socket = undefined;
      lose();
      last?.close(1000);
      given.onState?.('closed', 0);
    },
  };
}

/** Enough of a check that the rest of the SDK may rely on the fields it reads. */
export function isEnvelope(value: unknown): value is Envelope {
  if (!isRecord(value)) return false;
  const texts = ['envelopeId', 'kind', 'suite', 'body', 'sentAt'].every((key) => typeof value[key] === 'string');
  const from = value['from'];
  return texts && (from === undefined || (isRecord(from) && typeof from['accountId'] === 'string' && typeof from['deviceId'] === 'string'));
}
