import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import type { Instant } from '../../kernel/clock.js';
import { GatewayError } from '../../kernel/errors.js';
import { makeFolder } from '../../kernel/make-folder.js';

const ringSchema = z.strictObject({
  version: z.literal(1),
  keys: z.array(
    z.strictObject({
      keyId: z.string(),
      publicKey: z.string(),
      wrappedPrivateKey: z.string(),
      notBefore: z.number().int(),
      notAfter: z.number().int(),
    }),
  ),
});

/** A key of the ring as it rests: its private half is wrapped under the master key. */
export interface RestingKey {
  keyId: string;
  publicKey: string;
  wrappedPrivateKey: string;
  notBefore: Instant;
  notAfter: Instant;
}

export interface RingFile {
  /** Oldest first; empty when there is no file yet. @throws GatewayError `CONFIG.INVALID` when it cannot be read. */
  read(): RestingKey[];
  /** Replaces the ring: whole and on the disk before it has its name. A key that is left out is gone for good. */
  write(keys: readonly RestingKey[]): void;
  /** Reads, changes and writes it while no other process of ours does. What stays the same is not written. @returns the keys after it. */
  change(edit: (keys: readonly RestingKey[]) => RestingKey[]): RestingKey[];
}

/** How long another process may take for its change. */
const LOCK_MS = 5_000;

/** `<keysFolder>/opener-ring.json`, mode 0600. It is in no database and in none of their backups. */
export function openRingFile(keysFolder: string): RingFile {
  const file = join(keysFolder, 'opener-ring.json');
  makeFolder(keysFolder);
  const ringFile: RingFile = {
    read() {
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch (failure) {
        if (failure instanceof Error && Reflect.get(failure, 'code') === 'ENOENT') return [];
        throw refused(file, failure);
      }
      try {
        return ringSchema.parse(JSON.parse(text)).keys;
      } catch {
        // Its cause would quote the file.
        throw refused(file);
      }
    },
    write(keys) {
      const draft = `${file}.new`;
      const handle = openSync(draft, 'w', 0o600);
      try {
        writeSync(handle, JSON.stringify({ version: 1, keys }));
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(draft, file);
      const folder = openSync(keysFolder, 'r');
      try {
        fsyncSync(folder);
      } finally {
        closeSync(folder);
      }
    },
    change(edit) {
      // The operating system's lock on a small SQLite file: `kill -9` releases it.
      const lock = new Database(join(keysFolder, 'opener-ring.lock'), { timeout: LOCK_MS });
      try {
        lock.exec('BEGIN EXCLUSIVE');
        const before = ringFile.read();
        const after = edit(before);
        if (JSON.stringify(after) !== JSON.stringify(before)) ringFile.write(after);
        return after;
      } finally {
        lock.close();
      }
    },
  };
  return ringFile;
}

const refused = (file: string, cause?: unknown): GatewayError =>
  new GatewayError('CONFIG.INVALID', {
    detail: `The opener's keys at ${file} cannot be read.`,
    hint: 'Put the file back as it was. Without it, texts that were sealed to these keys stay closed.',
    cause,
  });
