import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of the test's own, so small that it can be filled: a tmpfs. */
export interface SmallDisk {
  /** Where it is mounted. */
  readonly folder: string;
  freeBytes(): number;
  /** Takes all that is left, to the last octet. */
  fill(): void;
  /** Gives back what `fill` took. */
  clear(): void;
  /** As the kernel does after an error of the disk. Whatever was open for writing is closed first, or this fails. */
  setReadOnly(isReadOnly: boolean): void;
  unmount(): void;
}

const isRequired = (process.env['CAUSEWAY_REQUIRE'] ?? '').split(',').includes('tmpfs');
const FILLER = 'filler';

/** Why tests that need a small disk are skipped here; undefined where they are not. */
export const noSmallDisk: string | undefined = findOut();

function findOut(): string | undefined {
  if (isRequired) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'causeway-disk-'));
  try {
    if (mount('-t', 'tmpfs', 'tmpfs', folder) === undefined) {
      spawnSync('umount', [folder]);
      return undefined;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const reason = 'skipped: needs root to mount a tmpfs';
  process.stderr.write(`${reason}\n`);
  return reason;
}

/** @returns what went wrong. */
function mount(...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync('mount', args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr);
}

export function mountSmallDisk(mebibytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-disk-'));
  const failure = mount('-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'tmpfs', folder);
  if (failure !== undefined) throw new Error(`the tmpfs could not be mounted: ${failure}`);
  const filler = join(folder, FILLER);
  return {
    folder,
    freeBytes() {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
    fill() {
      const file = openSync(filler, 'a');
      try {
        for (let block = Buffer.alloc(1_048_576); block.length > 0; block = block.subarray(0, block.length >> 1))
          writeUntilFull(file, block);
      } finally {
        closeSync(file);
      }
    },
    clear: () => rmSync(filler),
    setReadOnly(isReadOnly) {
      const refused = mount('-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, folder);
      if (refused !== undefined) throw new Error(`the tmpfs could not be remounted: ${refused}`);
    },
    unmount() {
      spawnSync('umount', ['--lazy', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function writeUntilFull(file: number, block: Uint8Array): void {
  try {
    while (writeSync(file, block) === block.length);
  } catch (failure) {
    if (!(failure instanceof Error) || Reflect.get(failure, 'code') !== 'ENOSPC') throw failure;
  }
}
