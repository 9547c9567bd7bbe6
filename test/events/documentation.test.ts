import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { EVENT_TYPES } from '../../src/events/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('docs/events.md is what the contract makes of it', () => {
  const result = spawnSync(process.execPath, ['tools/print-events.mjs', '--check'], { cwd: root, encoding: 'utf8' });
  expect(result).toMatchObject({ status: 0, stderr: '' });
});

test('what can be subscribed to is what the contract lists under x-webhooks', () => {
  const contract = parse(readFileSync(`${root}openapi.yaml`, 'utf8')) as { 'x-webhooks': Record<string, unknown> };
  const listed = Object.keys(contract['x-webhooks']);
  expect([...EVENT_TYPES].map((type) => `com.causeway.v1.${type}`).sort()).toEqual(listed.sort());
});
