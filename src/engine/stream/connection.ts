import type { RawData, WebSocket } from 'ws';
import { BUS_RESUMED, type Bus } from '../../bus/index.js';
import type { Clock, Timer } from '../../kernel/clock.js';
import { GatewayError, isGatewayError } from '../../kernel/errors.js';
import type { Log } from '../../kernel/log.js';
import type { Devices } from '../accounts/devices.js';
import type { MessagingCalls } from '../calls.js';
import { deviceSubject, isRemoval, newerConnection } from '../device-subject.js';
import type { Queue } from '../envelopes/queue.js';
import type { DeviceIdentity } from '../hooks.js';
import type { Limiter } from '../limits.js';
import { CLOSE, FRAME_MAX_BYTES, type Frame, parseFrame } from './frames.js';
import { createPump } from './pump.js';
import { answerCall, problemAnswer } from './stream-calls.js';

const PING_MS = 30_000;
/** Two pings and their answers missed. */
const IDLE_MS = 65_000;
/** How long a peer may take to answer our close before the socket is cut. */
const CLOSE_GRACE_MS = 5_000;
/** Calls of one device that may be under way; more are refused. */
const CALLS_MAX = 32;
/** Bytes that may wait for a reader before we stop reading from it and for it. */
const BUFFERED_MAX_BYTES = 1024 * 1024;

export interface StreamParts {
  calls: MessagingCalls;
  queue: Queue;
  devices: Devices;
  bus: Bus;
  clock: Clock;
  log: Log;
  /** Per connection. */
  callLimiter: Limiter;
}

export interface Connection {
  close(code: number, reason: string): void;
}

/**
 * Serves one device on one socket until that closes.
 *
 * @param order tells which of two connections of a device is the newer: texts that compare.
 */
export function serveConnection(parts: StreamParts, socket: WebSocket, device: DeviceIdentity, order: string): Connection {
  const { calls, queue, devices, bus, clock, log } = parts;
  const { deviceId } = device;
  let heardAt = clock.monotonicMs();
  let callsUnderWay = 0;
  let timer: Timer | undefined;
  let isClosing = false;

  function close(code: number, reason: string): void {
    if (isClosing) return;
    isClosing = true;
    pump.stop();
    timer?.cancel();
    socket.close(code, reason);
    timer = clock.setTimer(CLOSE_GRACE_MS, () => socket.terminate());
  }

  /** Sends while the socket is open; what it holds back is bounded by who calls. */
  function send(frame: unknown): void {
    if (isClosing || socket.readyState !== socket.OPEN) return;
    socket.send(JSON.stringify(frame), () => {
      if (socket.bufferedAmount > BUFFERED_MAX_BYTES) return;
      if (socket.isPaused) socket.resume();
      pump.resume();
    });
  }

  const pump = createPump({
    read: (cursor, limit) => queue.read(deviceId, cursor, limit),
    acknowledge: async (envelopeId) => void (await queue.acknowledge(deviceId, [envelopeId])),
    send,
    hasRoom: () => !isClosing && socket.bufferedAmount <= BUFFERED_MAX_BYTES,
    onFailure(failure) {
      // The envelopes stay where they are; the next wake-up or ping tries again.
      log.warn({ deviceId, code: isGatewayError(failure) ? failure.code : 'INTERNAL' }, 'stream could not reach the queue');
    },
  });

  async function serveCall(id: string, verb: string, path: string, body: unknown): Promise<void> {
    callsUnderWay++;
    try {
      send({ id, t: 'res', status: 200, body: await answerCall(calls, device, verb, path, body) });
    } catch (failure) {
      if (!isGatewayError(failure))
        log.error({ deviceId, verb, failure: failure instanceof Error ? failure.name : 'unknown' }, 'stream call failed');
      send({ id, t: 'res', ...problemAnswer(failure) });
    } finally {
      callsUnderWay--;
    }
  }

  async function takeCall(id: string, verb: string, path: string, body: unknown): Promise<void> {
    try {
      await parts.callLimiter.take(order);
    } catch {
      close(CLOSE.tooMany, 'too many calls');
      return;
    }
    if (callsUnderWay < CALLS_MAX) await serveCall(id, verb, path, body);
    else send({ id, t: 'res', ...problemAnswer(new GatewayError('TOO_MANY_REQUESTS', { detail: 'Too many calls are under way.' })) });
  }

  function receive(data: RawData, isBinary: boolean): void {
    heardAt = clock.monotonicMs();
    if (isClosing) return;
    // The default binaryType gives one Buffer.
    const bytes = data as Buffer;
    if (isBinary) close(CLOSE.notText, 'frames are text');
    else if (bytes.length > FRAME_MAX_BYTES) close(CLOSE.frameTooLarge, 'frame too large');
    else takeFrame(parseFrame(bytes.toString('utf8')));
  }

  function takeFrame(frame: Frame | undefined): void {
    // A peer that does not read what we send is not read either, so what waits for it stays bounded.
    if (socket.bufferedAmount > BUFFERED_MAX_BYTES) socket.pause();
    if (!frame) close(CLOSE.notAFrame, 'not a frame');
    else if (frame.t === 'res') pump.answered(frame.id, frame.status);
    else void takeCall(frame.id, frame.verb, frame.path, frame.body);
  }

  async function look(): Promise<void> {
    try {
      if (!(await devices.isCurrent(device))) close(CLOSE.unauthenticated, 'device replaced');
    } catch {
      // The store is closing or behind; the next look decides.
    }
  }

  function beat(): void {
    if (clock.monotonicMs() - heardAt > IDLE_MS) {
      close(CLOSE.idle, 'idle');
      return;
    }
    socket.ping();
    // Wake-ups over the bus are hints: this finds what a lost one forgot.
    pump.wake();
    void look();
    timer = clock.setTimer(PING_MS, beat);
  }

  const unsubscribe = bus.subscribe(deviceSubject(deviceId), (body) => {
    const other = newerConnection(body);
    if (other !== undefined) {
      if (other > order) close(CLOSE.elsewhere, 'connected elsewhere');
    } else if (isRemoval(body)) close(CLOSE.unauthenticated, 'device replaced');
    else pump.wake();
  });

  const stopResumed = bus.subscribe(BUS_RESUMED, () => {
    pump.wake();
    void look();
  });

  socket.on('message', receive);
  socket.on('pong', () => {
    heardAt = clock.monotonicMs();
  });
  // A broken socket or frame always closes it as well.
  socket.on('error', () => pump.stop());
  socket.on('close', () => {
    isClosing = true;
    pump.stop();
    unsubscribe();
    stopResumed();
    timer?.cancel();
  });

  timer = clock.setTimer(PING_MS, beat);
  void look();
  pump.wake();
  return { close };
}
