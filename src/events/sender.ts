import type { Clock } from '../kernel/clock.js';
import { isGatewayError } from '../kernel/errors.js';
import { createPublicAgent } from './public-agent.js';
import { type Resolve, readSink, type SinkRules } from './sink-address.js';

export interface SendRequest {
  sink: string;
  headers: Record<string, string>;
  body: string;
  /** Aborted when the process closes. */
  signal: AbortSignal;
}

/** What an attempt met. `address`: the guard refused it; `aborted`: we are closing, which is nobody's failure. */
export type SendResult =
  | { outcome: 'answered'; httpStatus: number; retryAfterMs: number | undefined }
  | { outcome: 'timeout' | 'connection' | 'address' | 'aborted' };

/** Posts to partners' endpoints. */
export interface Sender {
  send(request: SendRequest): Promise<SendResult>;
  close(): Promise<void>;
}

/** From the first byte of the connection to the head of the answer (Standard Webhooks advises 15 to 30 s). */
export const SEND_TIMEOUT_MS = 15_000;
/** What is read of an answer before the connection is dropped: enough to keep connections of ordinary endpoints. */
const ANSWER_BYTES_MAX = 16 * 1024;

/**
 * A sender over kept-alive connections. A literal address is judged before each request, and a name at each connection,
 * where the addresses that were judged are the ones connected to. Redirects are not followed; bodies are thrown away.
 */
export function createSender({ clock, rules, resolve }: { clock: Clock; rules: SinkRules; resolve: Resolve }): Sender {
  const agent = createPublicAgent({ rules, resolve, connectMs: SEND_TIMEOUT_MS });
  return {
    async send({ sink, headers, body, signal }) {
      const timeout = new AbortController();
      const timer = clock.setTimer(SEND_TIMEOUT_MS, () => timeout.abort());
      try {
        const url = readSink(sink, rules);
        const answer = await agent.request({
          origin: url.origin,
          path: url.pathname + url.search,
          method: 'POST',
          headers,
          body,
          signal: AbortSignal.any([signal, timeout.signal]),
        });
        await answer.body.dump({ limit: ANSWER_BYTES_MAX, signal: timeout.signal }).catch(() => undefined);
        return {
          outcome: 'answered',
          httpStatus: answer.statusCode,
          retryAfterMs: readRetryAfter(answer.headers['retry-after'], clock.now()),
        };
      } catch (failure) {
        if (signal.aborted) return { outcome: 'aborted' };
        if (timeout.signal.aborted) return { outcome: 'timeout' };
        return { outcome: isGatewayError(failure, 'EVENTS.SINK_NOT_ALLOWED') ? 'address' : 'connection' };
      } finally {
        timer.cancel();
      }
    },
    close: () => agent.destroy(),
  };
}

/** RFC 9110 §10.2.3: seconds or a date. */
function readRetryAfter(value: string | string[] | undefined, now: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
