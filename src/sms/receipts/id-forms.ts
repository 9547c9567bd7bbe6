import type { MessageIdForm, ReceiptId } from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import type { OperatorLink } from '../links/open-links.js';
import type { KnownForm } from './choose-part.js';
import { saveIdForm } from './operations.js';

/** How each link's receipts write message ids. */
export interface IdForms {
  of(link: Pick<OperatorLink, 'key' | 'config'>): Promise<KnownForm>;
  /** A match that only one form explains. Answers whether that form counts since this. */
  saw(link: Pick<OperatorLink, 'key' | 'config'>, evidence: Evidence): Promise<boolean>;
  /** Looks at the store again: other nodes learn, too. */
  forget(linkKey: string): void;
}

interface Evidence {
  readonly from: ReceiptId['from'];
  readonly form: MessageIdForm;
}

interface Seen {
  readonly form: MessageIdForm;
  readonly streak: number;
}

/** So many that agree are no coincidence; so many are enough to remember. */
const COUNTS_FROM = 3;
const STREAK_MAX = 100;

export function createIdForms({ store, clock, tasks, log }: Pick<SmsContext, 'store' | 'clock' | 'tasks' | 'log'>): IdForms {
  const seen = new Map<string, Promise<Map<string, Seen>>>();
  /** What is being written, by link and place: receipts do not wait for it, and of many only the last is written. */
  const writing = new Map<string, Seen>();

  function seenOf(linkKey: string): Promise<Map<string, Seen>> {
    const known = seen.get(linkKey) ?? read(linkKey);
    seen.set(linkKey, known);
    known.catch(() => seen.delete(linkKey));
    return known;
  }

  async function read(linkKey: string): Promise<Map<string, Seen>> {
    const rows = await store.read<{ source: string; form: string; streak: number }>(
      'SELECT source, form, streak FROM sms_id_form WHERE link_id = $1',
      [linkKey],
    );
    return new Map(rows.map(({ source, form, streak }) => [source, { form: form as MessageIdForm, streak: Number(streak) }]));
  }

  function save(linkKey: string, source: string, row: Seen): void {
    const name = `${linkKey} ${source}`;
    const isRunning = writing.has(name);
    writing.set(name, row);
    if (isRunning) return;
    tasks.start('message id form', async () => {
      try {
        for (let written: Seen | undefined; written !== writing.get(name); ) {
          written = writing.get(name) ?? row;
          await store.run(saveIdForm, { linkId: linkKey, source, ...written, seenAt: clock.now() });
        }
      } finally {
        writing.delete(name);
      }
    });
  }

  const learned = (row: Seen | undefined): MessageIdForm | undefined => (row && row.streak >= COUNTS_FROM ? row.form : undefined);

  return {
    async of({ key, config }) {
      if (config.messageIdForm !== 'auto') return { configured: config.messageIdForm };
      const rows = await seenOf(key);
      return { learned: { tlv: learned(rows.get('tlv')), text: learned(rows.get('text')) } };
    },
    async saw({ key, config }, { from, form }) {
      if (config.messageIdForm !== 'auto') return false;
      const rows = await seenOf(key);
      const before = rows.get(from);
      // Most links never say anything else: nothing to write then.
      if (before?.form === form && before.streak === STREAK_MAX) return false;
      const after = next(before, form);
      rows.set(from, after);
      save(key, from, after);
      if (learned(after) === undefined || learned(after) === learned(before)) return false;
      log.info({ linkId: key, source: from, form: after.form }, 'message id form learned');
      return true;
    },
    forget: (linkKey) => void seen.delete(linkKey),
  };
}

/** One that agrees counts one; one that does not takes half away, so that an SMSC which changed its ways is soon believed. */
function next(before: Seen | undefined, form: MessageIdForm): Seen {
  if (before?.form === form) return { form, streak: Math.min(STREAK_MAX, before.streak + 1) };
  if (!before || before.streak <= 1) return { form, streak: 1 };
  return { form: before.form, streak: Math.floor(before.streak / 2) };
}
