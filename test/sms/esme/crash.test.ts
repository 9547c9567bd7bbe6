/**
 * `kill -9` right before and right after every commit of a story: an ESME submits one SMS, one in parts and one to two
 * numbers, and a handset writes. Nothing that was answered is lost, nothing is sent twice, and whatever the ESME is owed it
 * gets. An SMS that was on its way to the operator at that moment may be one of which nobody knows, and then its ESME hears so.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { segments } from '../../../src/smpp/index.js';
import { type Boundary, createLife, type Life, nameOf } from './mortal.js';
import { createPersistentEsme, type PersistentEsme } from './persistent-esme.js';
import { type EsmeRig, openEsmeRig, SENDER } from './rig.js';

const TEST_MS_MAX = 300_000;
const LONG = 'A long one in three parts. '.repeat(14).trim();

let rig: EsmeRig;
let life: Life = createLife();
let stories = 0;
let deaths = 0;

beforeAll(async () => {
  rig = await openEsmeRig({ wrapMessages: (messages) => life.wrap(messages), wrapClock: (clock) => life.clock(clock) });
  await rig.sms.bound();
}, TEST_MS_MAX);
afterAll(() => rig.close(), TEST_MS_MAX);

/** Whoever killed it starts it again, as a supervisor does. */
async function revive(): Promise<void> {
  if (!life.isOver) return;
  deaths++;
  life = createLife();
  await rig.abandon();
  await rig.sms.bound();
}

interface Asked {
  readonly to: readonly string[];
  readonly text: string;
  /** Of its parts, or the one; undefined where no answer came. */
  readonly ids: readonly (string | undefined)[];
}

const isAnswered = ({ ids }: Asked): boolean => ids.every((id) => id !== undefined);

/** Submits it all; a death in between ends one submit and delays the others. */
async function submitAll(esme: PersistentEsme, number: (last: number) => string): Promise<Asked[]> {
  const submit = async (...asked: Parameters<PersistentEsme['submit']>) => {
    const id = await Promise.race([esme.submit(...asked).catch(() => undefined), life.died.then(() => undefined)]);
    // The connection of a process that is killed ends.
    if (life.isOver) esme.end();
    await revive();
    return id;
  };
  const text = `one of ${stories}`;
  const one = await submit('submit_sm', { destinationAddr: number(1), shortMessage: Buffer.from(text) });
  const ids: (string | undefined)[] = [];
  for (const part of segments(LONG, { method: 'udh16', reference: stories }).segments)
    ids.push(await submit('submit_sm', { destinationAddr: number(2), ...part }));
  const destinations = [3, 4].map((last) => ({ destinationAddr: number(last), destAddrTon: 1, destAddrNpi: 1 }));
  const multi = await submit('submit_multi', { shortMessage: Buffer.from('both'), destinations } as object);
  return [
    { to: [number(1)], text, ids: [one] },
    { to: [number(2)], text: LONG, ids },
    { to: [number(3), number(4)], text: 'both', ids: [multi] },
  ];
}

/** @param again how often a thing may be told more than once. */
function problemsOf({ to, text, ids }: Asked, { receipts }: PersistentEsme, again: number): string[] {
  const problems: string[] = [];
  const name = text.slice(0, 6);
  const told = ids.flatMap((id) => receipts.get(id ?? '') ?? []);
  for (const recipient of to) {
    const got = rig.onHandsets().filter((message) => message.to === `+${recipient}`);
    if (got.length > 1) problems.push(`${name} came ${got.length} times`);
    if (got.some((message) => message.text !== text)) problems.push(`${name} came as something else`);
    if (got.length === 0 && ids.every((id) => id !== undefined) && !told.includes('UNKNOWN')) problems.push(`${name} was lost`);
  }
  if (told.some((state) => state !== 'DELIVRD' && state !== 'UNKNOWN')) problems.push(`${name} is told to be ${told.join()}`);
  for (const id of ids) {
    const states = receipts.get(id ?? '') ?? [];
    const delivered = states.filter((state) => state === 'DELIVRD').length;
    if (delivered > to.length + again) problems.push(`${name} is told ${states.join()}`);
  }
  return problems;
}

/** Plays the story with a death at `boundary`. */
async function play(boundary: Boundary | undefined): Promise<{ problems: string[]; crossed: readonly Boundary[] }> {
  const story = ++stories;
  const number = (last: number) => `99957${1_200_000 + story * 10 + last}`;
  const esme = createPersistentEsme(rig);
  await revive();
  // Bound before anything can die: a bind to a process that is gone has no answer.
  await esme.bind();
  life.dieAt(boundary);
  const own = life;
  try {
    const asked = await submitAll(esme, number);
    const written = `handset ${story}`;
    // The SMSC sends it again until it is taken.
    rig.sms.smsc.sendMo({ from: `+${number(5)}`, to: `+${SENDER}`, text: written }).catch(() => undefined);
    const owed = asked.filter(isAnswered).flatMap(({ ids, to }) => ids.map((id) => ({ id: id ?? '', count: to.length })));
    await rig.sms.within(async () => {
      await revive();
      await esme.bind();
      return owed.every(({ id, count }) => (esme.receipts.get(id)?.length ?? 0) >= count) && esme.texts.includes(written);
    });
    // What it has taken comes again only where the process died before that was written down.
    const again = own.lost.filter((operation) => operation === 'esme.endDelivery').length;
    const problems = asked.flatMap((each) => problemsOf(each, esme, again));
    if (esme.texts.filter((text) => text === written).length > 1 + again) problems.push('the handset was heard twice');
    return { problems, crossed: own.crossed };
  } finally {
    esme.end();
  }
}

test('killed at any commit, what was answered arrives once, and its ESME is told', { timeout: TEST_MS_MAX }, async () => {
  const { problems, crossed } = await play(undefined);
  expect([problems, deaths]).toEqual([[], 0]);
  // The first and the last of each kind; what lies between is the same for another message.
  const last = new Map(crossed.map((boundary) => [`${boundary.side} ${boundary.operation}`, boundary]));
  const isHourly = ({ operation }: Boundary) => operation.includes('.forget');
  const boundaries = [...crossed.filter(({ nth }) => nth === 1), ...[...last.values()].filter(({ nth }) => nth > 1)].filter(
    (each) => !isHourly(each),
  );
  const operations = new Set(boundaries.map(({ operation }) => operation));
  for (const operation of ['insertSubmits', 'insertPart', 'claimGroup', 'endGroup', 'insertDeliveries', 'endDelivery'])
    expect(operations).toContain(`esme.${operation}`);
  const found: Record<string, unknown> = {};
  for (const boundary of boundaries) {
    const outcome = await play(boundary).catch((failure: Error) => ({ problems: [failure.message] }));
    if (outcome.problems.length > 0) found[nameOf(boundary)] = outcome.problems;
  }
  expect(found).toEqual({});
  // What is settled together depends on the moment, but most of them are met again.
  expect(deaths).toBeGreaterThan(boundaries.length / 2);
});
