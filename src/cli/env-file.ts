import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** The variables of a `.env` file; none when there is none. What the environment sets itself goes before them. */
export function readEnvFile(file: string): Record<string, string> {
  try {
    return parseEnv(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch (failure) {
    if (failure instanceof Error && Reflect.get(failure, 'code') === 'ENOENT') return {};
    throw failure;
  }
}
