import { closeSync, createReadStream, existsSync, openSync, renameSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { OwedDelivery } from './deliveries.js';
import type { AcceptedPart } from './handset-memory.js';

/** One line of the file. What is owed is cancelled by its `settled`. */
export type StateLine = { accepted: AcceptedPart } | { owed: OwedDelivery } | { settled: string } | { request: string };

export interface SmscState {
  accepted: AcceptedPart[];
  owed: OwedDelivery[];
  /** Requests that a handset's message was written for. */
  requests: string[];
}

export interface StateFile {
  readonly restored: SmscState;
  /** Written when this returns: killing the process loses nothing. (A power cut may: the sandbox does not pay for fsync.) */
  append(...lines: StateLine[]): void;
  close(): void;
}

const PURPOSE = 'sandbox-smsc';

/** Past this many lines the file is written anew from what is still known. */
const LINES_MAX = 100_000;

function parseLine(text: string, keyWrap: KeyWrap | undefined): StateLine | undefined {
  try {
    return JSON.parse(keyWrap ? Buffer.from(keyWrap.unwrap(text, PURPOSE)).toString('utf8') : text) as StateLine;
  } catch {
    // The process died within a write (the line was never answered, so it never happened), or the key is another one.
    return undefined;
  }
}

async function restore(path: string, keyWrap: KeyWrap | undefined): Promise<SmscState> {
  const accepted: AcceptedPart[] = [];
  const owed = new Map<string, OwedDelivery>();
  const requests = new Set<string>();
  if (existsSync(path)) {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      const line = parseLine(text, keyWrap);
      if (!line) continue;
      if ('accepted' in line) accepted.push(line.accepted);
      else if ('request' in line) requests.add(line.request);
      else if ('owed' in line) {
        owed.set(line.owed.deliveryId, line.owed);
        if (line.owed.requestId !== undefined) requests.add(line.owed.requestId);
      } else owed.delete(line.settled);
    }
  }
  return { accepted, owed: [...owed.values()], requests: [...requests] };
}

/**
 * Wraps the file's lines anew: all that it keeps of messages is written again from what is known.
 *
 * @returns 0 when there is no file, 1 when it was written.
 */
export async function rewriteStateFile(path: string, keyWrap: KeyWrap): Promise<number> {
  if (!existsSync(path)) return 0;
  // Opening writes it anew.
  const file = await openStateFile(path, () => file.restored, keyWrap);
  file.close();
  return 1;
}

/**
 * The SMSC's durable memory. The file is at most some 100,000 lines; it is rewritten beside itself and renamed.
 *
 * @param keyWrap encrypts each line when given.
 * @param current what is known now, asked for when the file is rewritten.
 * @throws the file system's error when the file cannot be read or written.
 */
export async function openStateFile(path: string, current: () => SmscState, keyWrap?: KeyWrap): Promise<StateFile> {
  const restored = await restore(path, keyWrap);
  let lines = 0;
  let file = rewrite(restored);

  function write(target: number, batch: readonly StateLine[]) {
    if (batch.length > 0) writeSync(target, batch.map((line) => `${written(line)}\n`).join(''));
    lines += batch.length;
  }

  function written(line: StateLine): string {
    const json = JSON.stringify(line);
    return keyWrap ? keyWrap.wrap(Buffer.from(json), PURPOSE) : json;
  }

  function rewrite(state: SmscState): number {
    const next = openSync(`${path}.new`, 'w', 0o600);
    lines = 0;
    write(next, [
      ...state.accepted.map((accepted) => ({ accepted })),
      ...state.requests.map((request) => ({ request })),
      ...state.owed.map((owed) => ({ owed })),
    ]);
    renameSync(`${path}.new`, path);
    return next;
  }

  return {
    restored,
    append(...batch) {
      write(file, batch);
      if (lines < LINES_MAX) return;
      const full = file;
      file = rewrite(current());
      closeSync(full);
    },
    close: () => closeSync(file),
  };
}
