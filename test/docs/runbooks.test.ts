import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = ['docs/runbooks', 'docs/errors'].flatMap((folder) => readdirSync(`${root}${folder}`).map((name) => `${folder}/${name}`));

/** Every `npm run causeway -- …` of the pages, as its command with its flags. */
const commands = new Set(
  pages.flatMap((page) =>
    [...readFileSync(`${root}${page}`, 'utf8').matchAll(/npm run causeway -- ([^`\n]*)/g)].map(([, given = '']) => {
      const words = given.split(/[\s,;.]+/).filter((word) => /^(--)?[a-z]+$/.test(word));
      const [first = '', second = ''] = words;
      const path = first === 'keys' || first === 'partner' ? [first, second] : [first];
      return [...path, ...words.filter((word) => word.startsWith('--'))].join(' ');
    }),
  ),
);

test('the pages name commands', () => expect(commands.size).toBeGreaterThan(6));

test.each([...commands])('causeway %s is a command that there is, with those flags', (command) => {
  const words = command.split(' ');
  const path = words.filter((word) => !word.startsWith('--'));
  const { status, stdout } = spawnSync(process.execPath, [`${root}dist/cli/main.js`, ...path, '--help'], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout).toContain(`Usage: causeway ${path.join(' ')}`);
  for (const flag of words.filter((word) => word.startsWith('--'))) expect(stdout).toContain(flag);
});
