import type { Instant } from '../../kernel/clock.js';
import { defineOperation, type MessageStore, settleNothing } from '../../store/index.js';
import { big, str } from '../batch-sql.js';

export interface Pause {
  reason: string | undefined;
  at: Instant;
}

/** Links that somebody has paused. It is in the database, so that it outlives a restart and every node holds to it. */
export interface Pauses {
  /** As of the last look. */
  of(linkKey: string): Pause | undefined;
  look(): Promise<void>;
  /** A link that is paused already keeps its first reason. */
  pause(linkKey: string, pause: Pause): Promise<void>;
  resume(linkKey: string): Promise<void>;
}

const insertPause = defineOperation<{ linkKey: string; reason: string | null; at: number }, undefined>({
  name: 'sms.pauseLink',
  statements: [
    `INSERT INTO sms_link_pause (link_key, reason, paused_at)
     SELECT ${str('linkKey')}, ${str('reason')}, ${big('at')} FROM :batch WHERE true ON CONFLICT DO NOTHING`,
  ],
  settle: settleNothing,
});

const deletePause = defineOperation<{ linkKey: string }, undefined>({
  name: 'sms.resumeLink',
  statements: [`DELETE FROM sms_link_pause WHERE link_key IN (SELECT ${str('linkKey')} FROM :batch)`],
  settle: settleNothing,
});

export function createPauses(store: MessageStore): Pauses {
  let paused = new Map<string, Pause>();

  async function look(): Promise<void> {
    const rows = await store.read<{ link_key: string; reason: string | null; paused_at: number }>(
      'SELECT link_key, reason, paused_at FROM sms_link_pause',
    );
    paused = new Map(rows.map((row) => [row.link_key, { reason: row.reason ?? undefined, at: Number(row.paused_at) }]));
  }

  return {
    of: (linkKey) => paused.get(linkKey),
    look,
    async pause(linkKey, { reason, at }) {
      await store.run(insertPause, { linkKey, reason: reason ?? null, at });
      await look();
    },
    async resume(linkKey) {
      await store.run(deletePause, { linkKey });
      await look();
    },
  };
}
