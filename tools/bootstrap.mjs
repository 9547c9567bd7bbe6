#!/usr/bin/env node
/**
 * Makes a fresh clone ready: installs what package-lock.json asks for, generates the Prisma clients, builds. `npm start`
 * and `npm test` run it first; when nothing changed since, it takes a fraction of a second.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.causeway-install.stamp');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Causeway needs Node 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}

/**
 * Which better-sqlite3 serves (ADR 0009): 12 is compiled against Node's own headers and ends the process on those of Node
 * 24 and 26; 13 comes compiled for Node-API 10, which Node has since 22.14.
 */
const isNodeApi10 = Number(process.versions.napi) >= 10;

/** What the installed tree depends on: the lock, and the Node whose headers better-sqlite3 was compiled against. */
function wantedTree() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).update(process.versions.modules).update(process.arch);
  return hash.update(isNodeApi10 ? 'Node-API 10' : '').digest('hex');
}

function install() {
  const prefix = resolve(dirname(process.execPath), '..');
  const env = { ...process.env };
  // better-sqlite3 is compiled where its prebuilt binary cannot be fetched; Node's own headers save another download.
  if (existsSync(join(prefix, 'include', 'node', 'node.h'))) env.npm_config_nodedir = prefix;
  process.stderr.write('installing packages (about a minute and a half with an empty cache)…\n');
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  // Nothing is to be compiled then, and no other package may run a script (package.json, allowScripts).
  const scripts = isNodeApi10 ? ['--ignore-scripts'] : [];
  const { status } = spawnSync(command, [...first, 'ci', ...scripts, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    process.stderr.write('The packages could not be installed; the lines above say why. Try again with: npm ci\n');
    process.exit(1);
  }
  if (isNodeApi10) {
    const place = join(root, 'node_modules', 'better-sqlite3');
    rmSync(place, { recursive: true });
    symlinkSync('better-sqlite3-napi', place, 'junction');
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wantedTree());
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wantedTree()) install();
const built = spawnSync(process.execPath, [join(root, 'tools', 'build.mjs')], { cwd: root, stdio: 'inherit' });
process.exit(built.status ?? 1);
