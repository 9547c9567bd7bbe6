import type { SchemaEngine } from '@prisma/schema-engine-wasm';

export function openSchemaEngine(adapterFactory: object, datamodels: [string, string][]): Promise<SchemaEngine>;
export function readSchema(folder: string): [string, string][];
