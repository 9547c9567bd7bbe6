import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defineOperation, type Store } from '../../src/store/index.js';
import { openTestStore } from '../fakes/store.js';

let store: Store;
beforeEach(async () => {
  store = await openTestStore();
});
afterEach(() => store.close());

/** Any table will do; the outbox has no foreign keys. */
const append = defineOperation<{ id: string; payload: string | null }, 'new' | 'known'>({
  name: 'test.append',
  statements: [
    `INSERT INTO outbox (id, topic, payload, created_at)
     SELECT b.value ->> 'id', 'test', b.value ->> 'payload', 0 FROM :batch WHERE true
     ON CONFLICT (id) DO NOTHING RETURNING id`,
  ],
  settle: (items, [inserted]) => {
    const fresh = new Set(inserted?.map((row) => row['id']));
    return items.map((item) => (fresh.has(item.id) ? 'new' : 'known'));
  },
});

describe('the hot path', () => {
  test('many callers at once are served and each gets its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 3_000 }, (_, i) => store.messages.run(append, { id: `id-${i % 2_000}`, payload: '{}' })),
    );
    expect(answers.filter((answer) => answer === 'new')).toHaveLength(2_000);
    expect(await store.messages.read('SELECT count(*) AS n FROM outbox')).toEqual([{ n: 2_000 }]);
  });

  test('an item that breaks a constraint fails alone, and the others of its transaction are stored', async () => {
    const answers = await Promise.allSettled(
      [0, 1, 2].map((i) => store.messages.run(append, { id: `id-${i}`, payload: i === 1 ? null : 'x' })),
    );
    expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await store.messages.read('SELECT id FROM outbox WHERE payload = $1 ORDER BY id', ['x'])).toEqual([
      { id: 'id-0' },
      { id: 'id-2' },
    ]);
  });

  test('a closed store refuses and says so', async () => {
    const other = await openTestStore();
    await other.close();
    await expect(other.messages.run(append, { id: 'late', payload: 'x' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
