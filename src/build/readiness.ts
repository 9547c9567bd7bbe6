import type { NatsBus } from '../bus/index.js';
import type { ReadinessCheck } from '../http/index.js';
import type { ClockWatch } from '../kernel/clock-watch.js';
import { GatewayError } from '../kernel/errors.js';
import { checkDisk, defineOperation, settleNothing } from '../store/index.js';
import type { WatchedStore, WriteHealth } from './watch-writes.js';

/** A caller who has waited for so long would rather be sent elsewhere. */
const WRITE_MS_MAX = 5_000;
/** After a jump the clock may be set once more, and others may refuse what was signed by it. */
const CLOCK_SETTLES_MS = 60_000;

export interface ReadinessOptions {
  watched: WatchedStore;
  dataFolder: string;
  clockWatch: ClockWatch;
  /** Absent when the bus is inside the process. */
  nats: NatsBus | undefined;
  isDraining(): boolean;
}

const unready = (detail: string): GatewayError => new GatewayError('UNAVAILABLE', { detail });

/** Writes a row as it is, to learn whether the database takes writes again. Each database has this table. */
const SAME_ROW = 'migration_name = (SELECT MIN(migration_name) FROM _prisma_migrations)';
const writeSame = defineOperation<object, undefined>({
  name: 'readiness.write',
  statements: [`UPDATE _prisma_migrations AS m SET applied_steps_count = m.applied_steps_count FROM :batch WHERE m.${SAME_ROW}`],
  settle: settleNothing,
});

/** What the gateway needs in order to serve, by the names that `/readyz` shows. */
export function readinessChecks({ watched, dataFolder, clockWatch, nats, isDraining }: ReadinessOptions): ReadinessCheck[] {
  const { control, messages, parts } = watched.store;
  const controlWrites: Writes = {
    health: watched.control,
    write: () =>
      control.transact((tx) =>
        tx.$executeRawUnsafe(`UPDATE _prisma_migrations SET applied_steps_count = applied_steps_count WHERE ${SAME_ROW}`),
      ),
  };
  const messageWrites: Writes = { health: watched.messages, write: () => messages.run(writeSame, {}) };
  const writesOf: Readonly<Record<string, Writes[]>> = { 'gateway.db': [controlWrites], 'messages.db': [messageWrites] };
  return [
    ...parts.map(({ name, check }) => ({
      name,
      async check() {
        await check();
        for (const writes of writesOf[name] ?? [controlWrites, messageWrites]) await checkWrites(name, writes);
      },
    })),
    { name: 'disk', check: () => checkDisk(dataFolder) },
    ...(nats ? [{ name: 'nats', check: async () => checkNats(nats) }] : []),
    { name: 'clock', check: async () => checkClock(clockWatch) },
    {
      name: 'draining',
      // Whoever sends traffic here is to stop while requests finish.
      async check() {
        if (isDraining()) throw unready('The gateway is closing.');
      },
    },
  ];
}

interface Writes {
  health: WriteHealth;
  write(): Promise<unknown>;
}

/** Writes are taken in time. Where one was refused, one is tried until it is taken: nobody else may write meanwhile. */
async function checkWrites(name: string, { health, write }: Writes): Promise<void> {
  const oldestMs = health.oldestMs();
  if (oldestMs > WRITE_MS_MAX)
    throw unready(`A write to ${name} has waited for ${Math.round(oldestMs / 1_000)} s: its disk is slow, or hangs.`);
  if (health.hasFailed()) await write();
}

function checkNats(nats: NatsBus): void {
  if (!nats.isConnected()) throw unready('The NATS server is away: other nodes hear from this one only when they look for themselves.');
}

function checkClock(clockWatch: ClockWatch): void {
  const jump = clockWatch.lastJump();
  if (jump === undefined || jump.agoMs >= CLOCK_SETTLES_MS) return;
  const [far, way] = [Math.round(Math.abs(jump.byMs) / 1_000), jump.byMs > 0 ? 'forward' : 'back'];
  throw unready(`The machine's clock was put ${way} by ${far} s, ${Math.round(jump.agoMs / 1_000)} s ago.`);
}
