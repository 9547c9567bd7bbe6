import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toRfc3339 } from '../../src/kernel/clock.js';
import { openSqliteStore } from '../../src/store/index.js';
import { aMessage, aSealedText, openRig, PARTNER } from './rig.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A start of the process on the same folder. */
const start = async () => openRig({ store: await openSqliteStore(folder) });

describe('after the store went in the middle of things', () => {
  test('what was answered is there, what was not can be repeated, and the end is each message once and in order', async () => {
    let rig = await start();
    const [from, to] = [await rig.person('+999100001'), await rig.person('+999100002')];
    const ids = Array.from({ length: 600 }, (_, i) => `c${i}`);
    const send = (id: string) => rig.engine.calls.sendMessage(from, to.accountId, aMessage(to, id));
    const answered = new Map<string, string>();
    const first = ids.slice(0, 300).map(async (id) => answered.set(id, (await send(id)).messageId));
    await first[0];
    const second = ids.slice(300).map(async (id) => answered.set(id, (await send(id)).messageId));
    const closing = rig.store.close();
    await Promise.allSettled([...first, ...second]);
    await closing;
    expect(answered.size).toBeGreaterThan(0);
    expect(answered.size).toBeLessThan(600);

    rig = await start();
    const kept = await rig.store.messages.read('SELECT id FROM engine_envelope');
    expect(new Set(kept.map((row) => row['id']))).toEqual(new Set(answered.values()));
    for (const [id, messageId] of answered) expect(await send(id)).toMatchObject({ messageId, replayed: true });
    await Promise.all(ids.map(send));
    const rows = await rig.store.messages.read<{ seq: number; client_msg_id: string }>(
      'SELECT seq, client_msg_id FROM engine_envelope ORDER BY seq',
    );
    expect(rows.map((row) => row.client_msg_id)).toEqual(ids);
    expect(rows.map((row) => row.seq)).toEqual(ids.map((_, i) => i + 1));
    await rig.close();
  });

  test('a claim goes on with the id that was chosen for its SMS, and is not claimed again', async () => {
    let rig = await start();
    const [from, to] = [await rig.person('+999100001'), await rig.person('+999100002')];
    const fallback = { mode: 'sealed', class: 'otp', sealed: aSealedText(toRfc3339(rig.clock.now() + 3_600_000)) };
    await rig.engine.calls.sendMessage(from, to.accountId, aMessage(to, 'c1', { fallback }));
    await rig.clock.advance(30_000);
    const due = { partnerId: PARTNER, now: rig.clock.now(), limit: 10 };
    const [claimed] = await rig.engine.fallbacks.claimDue({ ...due, smsIdFor: () => 'sms_first' });
    await rig.close();

    rig = await start();
    expect(await rig.engine.fallbacks.claimDue({ ...due, smsIdFor: () => 'sms_second' })).toEqual([]);
    expect(await rig.engine.fallbacks.pendingClaims()).toEqual([claimed]);
    expect(claimed?.smsId).toBe('sms_first');
    expect((await rig.facts()).map((fact) => fact['kind'])).toContain('fallback.claimed');
    await rig.close();
  });
});
