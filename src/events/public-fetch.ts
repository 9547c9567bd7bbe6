import type { Clock } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import { createPublicAgent } from './public-agent.js';
import { type Resolve, readSink, systemResolve } from './sink-address.js';

/** Reads documents that partners publish, by the rules of webhooks' sinks: https at public addresses, no redirects. */
export interface PublicFetch extends Closable {
  /**
   * @returns the body of a 200 as text.
   * @throws Error of any other answer, a body that is too long, or one that has not ended in time; GatewayError `EVENTS.SINK_NOT_ALLOWED`.
   */
  text(url: string, bounds: { bytesMax: number; timeoutMs: number }): Promise<string>;
  close(): Promise<void>;
}

/** @param allowLoopback in the sandbox only: this machine, by http too. */
export function createPublicFetch({
  clock,
  allowLoopback,
  resolve = systemResolve,
}: {
  clock: Clock;
  allowLoopback: boolean;
  resolve?: Resolve;
}): PublicFetch {
  const rules = { allowLoopback };
  const agent = createPublicAgent({ rules, resolve, connectMs: 15_000 });
  return {
    async text(url, { bytesMax, timeoutMs }) {
      const { origin, pathname, search } = readSink(url, rules);
      const timeout = new AbortController();
      const timer = clock.setTimer(timeoutMs, () => timeout.abort());
      try {
        const headers = { accept: 'application/json', 'user-agent': 'causeway/1' };
        const answer = await agent.request({ origin, path: pathname + search, method: 'GET', headers, signal: timeout.signal });
        if (answer.statusCode !== 200) {
          await answer.body.dump({ limit: bytesMax, signal: timeout.signal }).catch(() => undefined);
          throw new Error(`it answered ${answer.statusCode}`);
        }
        const chunks: Buffer[] = [];
        let bytes = 0;
        // Leaving the loop ends the connection.
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          if (bytes > bytesMax) throw new Error(`it is longer than ${bytesMax} octets`);
          chunks.push(chunk);
        }
        return Buffer.concat(chunks).toString('utf8');
      } catch (failure) {
        if (timeout.signal.aborted) throw new Error(`it did not answer within ${timeoutMs} ms`, { cause: failure });
        throw failure;
      } finally {
        timer.cancel();
      }
    },
    close: () => agent.destroy(),
  };
}
