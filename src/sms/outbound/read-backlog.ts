import type { Instant } from '../../kernel/clock.js';
import { PRIORITIES } from '../message.js';
import type { Backlog, BacklogRow } from './backlog.js';

/** Brings what a link's messages are in the database into memory, class by class, as room for them is there. */
export interface BacklogReader {
  /** The database may have messages that this node has not been handed. */
  look(): void;
  /**
   * Reads what there is room for.
   *
   * @returns whether something came in; and when the next may go of those that wait for an instant, where that was looked up.
   */
  read(): Promise<{ isMore: boolean; dueAt: Instant | undefined }>;
  /** Whether every message of the class that may go is in memory, so that one more goes behind it. */
  isRead(priority: number): boolean;
  /** The same of the class and of those before it. */
  isReadUpTo(priority: number): boolean;
  /** A message was stored that found no room in memory. */
  missed(priority: number): void;
  /** A message was stored, or left to the database, that may not go before then. */
  waitsUntil(at: Instant): void;
  /** When the next of those may go, as far as is known. */
  dueAt(): Instant | undefined;
}

export interface BacklogReaderOptions {
  backlog: Backlog;
  now: () => Instant;
  /** Messages of a class that memory has room for. */
  roomFor: (priority: number) => boolean;
  /** Takes one; answers whether it was not there already. */
  take: (row: BacklogRow) => boolean;
  isClosed: () => boolean;
}

/** Of a class, what is read from the database at a time. */
const PAGE = 500;

const CLASSES = Object.values(PRIORITIES);

export function createBacklogReader({ backlog, now, roomFor, take, isClosed }: BacklogReaderOptions): BacklogReader {
  /** Of each class: after which id the database has more, undefined when all of it is in memory; and whether one found no room since. */
  const unread = CLASSES.map((): { after: string | undefined; missed: boolean } => ({ after: '', missed: false }));
  let isDueKnown = true;
  let dueAt: Instant | undefined;
  let isReading = false;

  function look(): void {
    for (const place of unread) place.after = '';
    isDueKnown = false;
  }

  /** @returns whether something came in. */
  async function readClass(priority: number): Promise<boolean> {
    const place = unread[priority];
    let isMore = false;
    while (place?.after !== undefined && roomFor(priority) && !isClosed()) {
      const { after } = place;
      place.missed = false;
      const rows = await backlog.read(priority, after, PAGE);
      for (const row of rows) isMore = take(row) || isMore;
      // Somebody asked for a look from the beginning meanwhile.
      if (place.after !== after) continue;
      place.after = rows.length === PAGE ? rows.at(-1)?.message.id : place.missed ? '' : undefined;
    }
    return isMore;
  }

  return {
    look,
    async read() {
      if (isReading || isClosed()) return { isMore: false, dueAt: undefined };
      isReading = true;
      try {
        if (dueAt !== undefined && dueAt <= now()) look();
        let isMore = false;
        for (const priority of CLASSES) isMore = (await readClass(priority)) || isMore;
        if (isDueKnown || unread.some(({ after }) => after !== undefined)) return { isMore, dueAt: undefined };
        isDueKnown = true;
        dueAt = await backlog.nextDueAt();
        return { isMore, dueAt };
      } finally {
        isReading = false;
      }
    },
    isRead: (priority) => unread[priority]?.after === undefined,
    isReadUpTo: (priority) => unread.every(({ after }, kind) => kind > priority || after === undefined),
    missed(priority) {
      const place = unread[priority];
      if (!place) return;
      place.missed = true;
      place.after ??= '';
    },
    waitsUntil(at) {
      dueAt = Math.min(dueAt ?? at, at);
    },
    dueAt: () => dueAt,
  };
}
