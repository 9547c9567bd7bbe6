import { isIP, type LookupFunction } from 'node:net';
import { Agent } from 'undici';
import { type Resolve, resolveSink, type SinkRules } from './sink-address.js';

export interface PublicAgentOptions {
  rules: SinkRules;
  resolve: Resolve;
  /** Milliseconds that a connection may take. */
  connectMs: number;
}

/**
 * Connections to public addresses only: a name is judged at each connection, where the addresses that were judged are the
 * ones connected to. A literal address asks no resolver: `readSink` judges it before the request. Redirects are not followed.
 */
export function createPublicAgent({ rules, resolve, connectMs }: PublicAgentOptions): Agent {
  async function answerLookup(hostname: string, all: boolean, done: Parameters<LookupFunction>[2]): Promise<void> {
    try {
      const addresses = (await resolveSink(hostname, resolve, rules)).map((address) => ({ address, family: isIP(address) }));
      const [first] = addresses;
      if (all || !first) done(null, addresses);
      else done(null, first.address, first.family);
    } catch (failure) {
      done(failure instanceof Error ? failure : new Error('the name could not be resolved'), []);
    }
  }
  return new Agent({
    connections: 8,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: connectMs, lookup: (hostname, { all }, done) => void answerLookup(hostname, all === true, done) },
  });
}
