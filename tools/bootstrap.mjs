#!/usr/bin/env node
/**
 * Makes a fresh clone ready: installs what package-lock.json asks for, generates the Prisma clients, builds. `npm start`
 * and `npm test` run it first; when nothing changed since, it takes a fraction of a second.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.causeway-install.stamp');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Causeway needs Node 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}

/** What the installed tree depends on: the lock, and the Node whose headers better-sqlite3 was compiled against. */
function wantedTree() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return createHash('sha256').update(lock).update(process.versions.modules).update(process.arch).digest('hex');
}

function install() {
  const prefix = resolve(dirname(process.execPath), '..');
  const env = { ...process.env };
  // better-sqlite3 is compiled where its prebuilt binary cannot be fetched; Node's own headers save another download.
  if (existsSync(join(prefix, 'include', 'node', 'node.h'))) env.npm_config_nodedir = prefix;
  process.stderr.write('installing packages (about a minute and a half with an empty cache)…\n');
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const { status } = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    process.stderr.write('The packages could not be installed; the lines above say why. Try again with: npm ci\n');
    process.exit(1);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wantedTree());
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wantedTree()) install();
const built = spawnSync(process.execPath, [join(root, 'tools', 'build.mjs')], { cwd: root, stdio: 'inherit' });
process.exit(built.status ?? 1);
