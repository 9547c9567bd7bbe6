/**
 * The one writer of gateway.db, in a thread of its own so that an fsync never stops the event loop. It runs the
 * statements it is sent, one after the other, and answers each.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { isDriverAdapterError, type SqlQuery } from '@prisma/driver-adapter-utils';

/** `abandon` undoes a transaction that is open, and does nothing when none is. */
export type Ask = { id: number } & ({ act: 'queryRaw' | 'executeRaw'; query: SqlQuery } | { act: 'abandon' | 'close' });
/** `failure` is what the driver's error was made from. */
export type Told = { id: number; result: unknown } | { id: number; failure: unknown };

const port = parentPort;
if (!port) throw new Error('the writer runs in a worker thread only');

const adapter = await new PrismaBetterSqlite3({ url: `file:${(workerData as { file: string }).file}` }).connect();

async function act(ask: Ask): Promise<unknown> {
  switch (ask.act) {
    case 'queryRaw':
      return adapter.queryRaw(ask.query);
    case 'executeRaw':
      return adapter.executeRaw(ask.query);
    case 'abandon':
      return adapter.executeScript('ROLLBACK').catch(() => undefined);
    case 'close':
      return adapter.dispose();
  }
}

port.on('message', (ask: Ask) => {
  const { id } = ask;
  act(ask).then(
    (result) => port.postMessage({ id, result } satisfies Told),
    (failure: unknown) => port.postMessage({ id, failure: isDriverAdapterError(failure) ? failure.cause : String(failure) } satisfies Told),
  );
  if (ask.act === 'close') port.unref();
});
