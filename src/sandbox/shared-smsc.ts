import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.js';
import { type Closable, ClosingStack } from '../kernel/closing-stack.js';
import { GatewayError, isGatewayError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import { runPeriodically } from '../kernel/periodic.js';
import { lockFolder } from '../store/sqlite/folder-lock.js';
import { openSmscDesk } from './smsc/desk.js';
import type { MobileOriginated, Page, ReceivedMessage, SandboxSmsc } from './smsc/index.js';

/** The simulated SMSC as a node sees it, whichever node it runs in. */
export interface SharedSmsc extends Closable {
  /** Where it listens now; undefined for a moment after its node died. */
  address(): { host: string; port: number } | undefined;
  received(page: Page): Promise<ReceivedMessage[]>;
  /** As `SandboxSmsc.sendMo`. */
  sendMo(message: MobileOriginated): Promise<void>;
  close(): Promise<void>;
}

export interface SharedSmscOptions {
  /** Shared by the nodes, on one machine: the simulated SMSC and its memory are the machine's. */
  dataDir: string;
  open(): Promise<SandboxSmsc>;
  clock: Clock;
  log: Log;
}

const LOOK_MS = 500;
const HOST = '127.0.0.1';
const placeSchema = z.object({ port: z.number().int(), deskPort: z.number().int(), secret: z.string() });
type Place = z.infer<typeof placeSchema>;

/**
 * The simulated SMSC of nodes that share a sandbox: the first runs it, the others find it by a file, and when its node is
 * gone another opens it with the same memory. An operating system's lock decides, so `kill -9` hands it over at once.
 */
export async function openSharedSmsc({ dataDir, open, clock, log }: SharedSmscOptions): Promise<SharedSmsc> {
  const folder = join(dataDir, 'sandbox-smsc');
  const placeFile = join(folder, 'place.json');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const opened = new ClosingStack();
  let own: { smsc: SandboxSmsc } | undefined;
  let place: Place | undefined;

  async function look(): Promise<void> {
    if (own) return;
    let lock: Closable;
    try {
      lock = lockFolder(folder);
    } catch (failure) {
      if (!isGatewayError(failure, 'STORE.LOCKED')) throw failure;
      place = readPlace(placeFile);
      return;
    }
    const owned = new ClosingStack();
    owned.push(lock);
    try {
      const smsc = owned.push(await open());
      const secret = randomBytes(24).toString('base64url');
      const desk = owned.push(await openSmscDesk({ host: HOST, secret, smsc }));
      place = { port: smsc.port, deskPort: desk.port, secret };
      writeFileSync(`${placeFile}.new`, JSON.stringify(place), { mode: 0o600 });
      renameSync(`${placeFile}.new`, placeFile);
      own = { smsc };
      opened.push({ close: () => owned.closeAll() });
      log.info({ port: smsc.port }, 'this node runs the simulated SMSC');
    } catch (failure) {
      await owned.closeAll();
      throw failure;
    }
  }

  async function ask(path: string, body: unknown): Promise<unknown> {
    if (!place) throw new GatewayError('UNAVAILABLE', { detail: 'No node runs the simulated SMSC at the moment.' });
    let response: Response;
    try {
      response = await fetch(`http://${HOST}:${place.deskPort}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${place.secret}` },
        body: JSON.stringify(body),
      });
    } catch (cause) {
      throw new GatewayError('UNAVAILABLE', { detail: 'The node that runs the simulated SMSC cannot be reached.', cause });
    }
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    throw new GatewayError(response.status === 400 ? 'INVALID_ARGUMENT' : 'UNAVAILABLE', { detail: 'The simulated SMSC did not take it.' });
  }

  const periodic = runPeriodically({ name: 'simulated SMSC', everyMs: LOOK_MS, clock, log }, look);
  opened.push(periodic);
  try {
    await periodic.finished();
  } catch (failure) {
    await opened.closeAll();
    throw failure;
  }

  return {
    address: () => place && { host: HOST, port: place.port },
    received: async (page) => (own ? own.smsc.received(page) : ((await ask('/received', page)) as ReceivedMessage[])),
    async sendMo(message) {
      if (own) await own.smsc.sendMo(message);
      else await ask('/mo', message);
    },
    async close() {
      await periodic.close();
      await opened.closeAll();
    },
  };
}

/** undefined while the file is absent or half of another time. */
function readPlace(file: string): Place | undefined {
  try {
    return placeSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
