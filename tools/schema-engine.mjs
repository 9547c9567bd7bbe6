/**
 * Prisma's schema engine as WebAssembly: the only form of it that needs no download. Node 20 cannot import `.wasm`
 * files, so the module is instantiated by hand (traps.md). Used by tools and tests, never by the service.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';

const folder = dirname(fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm')));

/**
 * @param adapterFactory a Prisma driver adapter factory (better-sqlite3 or pg); it connects only when a call needs it.
 * @param datamodels `[name, text]` pairs of the Prisma schema files.
 */
export async function openSchemaEngine(adapterFactory, datamodels) {
  const glue = await import(pathToFileURL(join(folder, 'schema_engine_bg.js')).href);
  const { instance } = await WebAssembly.instantiate(readFileSync(join(folder, 'schema_engine_bg.wasm')), {
    './schema_engine_bg.js': glue,
  });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  return glue.SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(adapterFactory));
}
