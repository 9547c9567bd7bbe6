import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openMasterKey } from '../../src/identity/index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const secret = Buffer.from('a secret');
const keysFolder = () => join(folder, 'keys');
const file = () => join(keysFolder(), 'master.key');

test('the sandbox makes a key of 32 bytes that only its owner reads, and keeps it', () => {
  const wrapped = openMasterKey({ keysFolder: keysFolder(), environment: 'sandbox' }).wrap(secret, 'test');
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(Buffer.from(readFileSync(file(), 'utf8').trim(), 'base64url')).toHaveLength(32);
  expect(Buffer.from(openMasterKey({ keysFolder: keysFolder(), environment: 'production' }).unwrap(wrapped, 'test'))).toEqual(secret);
});

test('production does not start without one, nor with one that others read', () => {
  expect(() => openMasterKey({ keysFolder: keysFolder(), environment: 'production' })).toThrow(/no master key/);
  openMasterKey({ keysFolder: keysFolder(), environment: 'sandbox' });
  chmodSync(file(), 0o644);
  expect(() => openMasterKey({ keysFolder: keysFolder(), environment: 'production' })).toThrow(/readable by others/);
});

test('a damaged key is refused', () => {
  openMasterKey({ keysFolder: keysFolder(), environment: 'sandbox' });
  writeFileSync(file(), 'short');
  expect(() => openMasterKey({ keysFolder: keysFolder(), environment: 'sandbox' })).toThrow(/32 bytes/);
});

test('a wrapped secret opens for its purpose only, and not when it was changed', () => {
  const wrap = openMasterKey({ keysFolder: keysFolder(), environment: 'sandbox' });
  const wrapped = wrap.wrap(secret, 'one');
  expect(() => wrap.unwrap(wrapped, 'two')).toThrow();
  expect(() => wrap.unwrap(`${wrapped.slice(0, -2)}AA`, 'one')).toThrow();
  expect(() => wrap.unwrap('', 'one')).toThrow();
  expect(wrap.wrap(secret, 'one')).not.toBe(wrapped);
});
