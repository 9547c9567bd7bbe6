#!/usr/bin/env node
/**
 * Prints docs/configuration.md and .env.example from the one schema of the process's options (src/config/environment.ts).
 * Run it after a change of the schema: `node tools/build.mjs && node tools/print-configuration.mjs`.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printConfigurationPage, printEnvExample } from '../dist/config/index.js';

const root = resolve(fileURLToPath(new URL('..', import.meta.url)));
writeFileSync(resolve(root, 'docs', 'configuration.md'), printConfigurationPage());
writeFileSync(resolve(root, '.env.example'), printEnvExample());
process.stdout.write('printed docs/configuration.md and .env.example\n');
