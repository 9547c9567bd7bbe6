/**
 * Prisma's schema engine as WebAssembly: the only form of it that needs no download. Node 20 cannot import `.wasm`
 * files, so the module is instantiated by hand (traps.md). Used by tools and tests, never by the service.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';

const folder = dirname(fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm')));

/** The glue keeps one instance's memory in module variables, so there is one instance for all engines. */
let glue;

async function instantiate() {
  const module = await import(pathToFileURL(join(folder, 'schema_engine_bg.js')).href);
  const { instance } = await WebAssembly.instantiate(readFileSync(join(folder, 'schema_engine_bg.wasm')), {
    './schema_engine_bg.js': module,
  });
  module.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  return module;
}

/**
 * @param adapterFactory a Prisma driver adapter factory (better-sqlite3 or pg); it connects only when a call needs it.
 * @param datamodels `[name, text]` pairs of the Prisma schema files.
 */
export async function openSchemaEngine(adapterFactory, datamodels) {
  glue ??= instantiate();
  return (await glue).SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(adapterFactory));
}

/** A folder's Prisma schema files as the engine takes them. */
export function readSchema(folder) {
  return readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]);
}
