import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { CHECKOUT, createHome, type GatewayHome, startGateway } from '../gateway/gateway-process.js';
import type { Crash } from './crash.js';
import { type Finding, type Ledger, refusalOf } from './ledger.js';
import { createReach, type Reach } from './reach.js';
import { tornAfterLastCommit } from './wal.js';

const DATABASES = ['gateway.db', 'messages.db'];

/** What had been answered at one instant. */
interface Answered {
  readonly repeatables: Ledger['repeatables'];
  /** By the device that got that answer. */
  readonly acknowledged: ReadonlyMap<string, ReadonlySet<string>>;
  readonly waiting: ReadonlyMap<string, readonly string[]>;
  readonly replies: number;
  /** Fallbacks whose SMS the SMSC had accepted. */
  readonly accepted: readonly string[];
}

/**
 * Cuts the power of a gateway on SQLite, in a copy: the process is stopped between two system calls, whatever it is doing,
 * both databases are copied with their write-ahead logs as they are at that instant, and what lies behind the last commit
 * of each log becomes rubbish, as a write that was under way may leave it. A gateway that starts on the copy must hold
 * everything that was answered before.
 *
 * What this does not show is a disk that had not written yet what the system had taken: that each commit waits for the
 * disk (`synchronous=FULL`) is tested where the databases are opened.
 *
 * @param tear what becomes of a write-ahead log.
 * @returns what is missing or there twice in the copy. @throws when the copy does not open.
 */
export async function cutPower(crash: Crash, tear: (wal: Buffer) => Buffer = tornAfterLastCommit): Promise<Finding[]> {
  const { place } = crash;
  const [node] = place.nodes;
  if (!node || place.database) throw new Error('power is cut of one gateway on SQLite');
  const copy = await createHome();
  try {
    const answered = answeredBy(crash);
    await node.frozen(async () => copyFolders(place.home, copy, tear));
    const findings = [...DATABASES.flatMap((name) => integrityFindings(copy, name)), ...smsFindings(copy, answered)];
    silence(copy);
    const variables = {
      ...place.variables,
      ...copy.variables,
      CAUSEWAY_PARTNERS_DIR: join(CHECKOUT, 'partners'),
      CAUSEWAY_PUBLIC_URL: copy.url,
    };
    const gateway = await startGateway({ ...copy, variables });
    try {
      if (gateway.child.exitCode !== null) throw new Error(`no gateway starts on the copy:\n${gateway.output()}`);
      const reach = createReach({ url: copy.url, phonesUrl: copy.url, ...copy.credentials(), onSecret: () => undefined });
      findings.push(...(await repeatFindings(reach, answered)), ...(await queueFindings(reach, crash, answered)));
    } finally {
      gateway.child.kill('SIGKILL');
      await gateway.exited;
    }
    return findings;
  } finally {
    copy.remove();
  }
}

function answeredBy({ ledger, handsets }: Crash): Answered {
  const texts = handsets.map(({ text }) => text);
  const acknowledged = ledger.phones.map(({ deviceId, arrivals }): [string, Set<string>] => [
    deviceId,
    new Set([...arrivals].filter(([, { isAckAnswered }]) => isAckAnswered).map(([id]) => id)),
  ]);
  const arrived = new Set(ledger.phones.flatMap(({ arrivals }) => [...arrivals.keys()]));
  const waiting = new Map<string, string[]>();
  for (const { messageId, to } of ledger.messages)
    if (!arrived.has(messageId)) waiting.set(to.deviceId, [...(waiting.get(to.deviceId) ?? []), messageId]);
  return {
    repeatables: [...ledger.repeatables],
    acknowledged: new Map(acknowledged),
    waiting,
    replies: ledger.replies.length,
    accepted: ledger.fallbacks
      // A code goes out once more when nobody can say whether it did.
      .filter(({ class: kind, text }) => kind !== 'otp' && texts.some((sms) => sms.startsWith(text)))
      .map(({ fallbackId }) => fallbackId),
  };
}

function copyFolders(from: GatewayHome, to: GatewayHome, tear: (wal: Buffer) => Buffer): void {
  for (const [source, target] of [
    [from.keysDir, to.keysDir],
    [from.dataDir, to.dataDir],
  ] as const) {
    mkdirSync(target, { recursive: true, mode: 0o700 });
    for (const entry of readdirSync(source, { withFileTypes: true }))
      if (entry.isFile() && !entry.name.endsWith('-shm')) copyFileSync(join(source, entry.name), join(target, entry.name));
  }
  for (const name of DATABASES) {
    const wal = join(to.dataDir, `${name}-wal`);
    if (existsSync(wal)) writeFileSync(wal, tear(readFileSync(wal)));
  }
}

function withDatabase<T>(home: GatewayHome, name: string, work: (database: Database.Database) => T): T {
  const database = new Database(join(home.dataDir, name));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function integrityFindings(copy: GatewayHome, name: string): Finding[] {
  const said = withDatabase(copy, name, (database) => database.pragma('integrity_check', { simple: true }));
  return said === 'ok' ? [] : [{ kind: 'lost', what: `${name} is damaged: ${String(said)}` }];
}

function smsFindings(copy: GatewayHome, { replies, accepted }: Answered): Finding[] {
  return withDatabase(copy, 'messages.db', (database) => {
    const findings: Finding[] = [];
    const inbound = Number(database.prepare('SELECT count(*) FROM sms_inbound').pluck().get());
    if (inbound < replies) findings.push({ kind: 'lost', what: `${replies - inbound} answers by SMS that deliver_sm_resp had answered` });
    const stateOf = database.prepare('SELECT state FROM sms_message WHERE fallback_id = ?').pluck();
    for (const fallbackId of accepted) {
      const state = stateOf.get(fallbackId);
      if (state === undefined || state === 'queued')
        findings.push({ kind: 'doubled', what: `the SMS of ${fallbackId} is ${String(state)}: it would go out again` });
    }
    return findings;
  });
}

/** The copy's events are nobody's. */
function silence(copy: GatewayHome): void {
  withDatabase(copy, 'gateway.db', (database) => database.exec("UPDATE event_subscription SET status = 'inactive'"));
}

async function repeatFindings(reach: Reach, { repeatables }: Answered): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { what, answer, again } of repeatables) {
    const repeated = await again(reach).catch((failure: unknown) => `a refusal: ${refusalOf(failure)}`);
    if (repeated !== answer) findings.push({ kind: 'lost', what: `${what}: sent again after the power cut, it was answered ${repeated}` });
  }
  return findings;
}

async function queueFindings(reach: Reach, { ledger }: Crash, { acknowledged, waiting }: Answered): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const phone of ledger.phones) {
    const [acks, due] = [acknowledged.get(phone.deviceId), waiting.get(phone.deviceId) ?? []];
    if (!acks || (acks.size === 0 && due.length === 0)) continue;
    const queue = new Set(await phone.waiting(reach));
    for (const id of due) if (!queue.has(id)) findings.push({ kind: 'lost', what: `message ${id}, from the queue of ${phone.deviceId}` });
    for (const id of queue) if (acks.has(id)) findings.push({ kind: 'lost', what: `the answered acknowledgement of envelope ${id}` });
  }
  return findings;
}
