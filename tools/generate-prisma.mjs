#!/usr/bin/env node
/**
 * Generates one Prisma client per provider from the shared models (ADR 0001).
 *
 * The shared models and a provider's base are laid side by side in a folder under node_modules/.cache, since Prisma
 * reads one folder. Every command of its CLI first tries to download a schema engine; naming any existing executable
 * keeps `generate`, which needs none, working without a network (traps.md).
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const prismaCli = join(dirname(createRequire(import.meta.url).resolve('prisma/package.json')), 'build', 'index.js');

/** Lays base and models of one provider into one folder and returns its path. */
export function assembleSchema(provider) {
  const folder = join(root, 'node_modules', '.cache', 'causeway-prisma', provider);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, 'prisma', 'models'), folder, { recursive: true });
  const base = readFileSync(join(root, 'prisma', provider, 'base.prisma'), 'utf8');
  const output = join(root, 'src', 'store', 'generated', provider).replaceAll('\\', '/');
  writeFileSync(join(folder, 'base.prisma'), base.replace(/output(\s*)= ".*"/, `output$1= "${output}"`));
  return folder;
}

function generate(provider) {
  const result = spawnSync(process.execPath, [prismaCli, 'generate', '--no-hints', '--schema', assembleSchema(provider)], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' },
  });
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`);
    throw new Error(`prisma generate failed for ${provider}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const provider of ['sqlite', 'postgresql']) generate(provider);
  process.stdout.write('generated the Prisma clients for sqlite and postgresql\n');
}
