import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** What is installed, made or written at run time. */
const NOT_OURS = new Set(['node_modules', 'dist', 'data', 'keys', '.git']);

function pagesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pagesBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '`');

/** The anchors that headings get where the pages are read. */
const anchorsOf = (text: string): Set<string> =>
  new Set(
    [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- _]/gu, '')
        .replace(/ /g, '-'),
    ),
  );

/** Every link to a place in the repository that leads nowhere: `page: target`. */
function brokenLinks(page: string): string[] {
  const broken: string[] = [];
  for (const [, target = ''] of withoutCode(readFileSync(page, 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/i.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : resolve(dirname(page), path);
    const found = file.startsWith(root) && existsSync(file);
    if (!found || (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).has(anchor)))
      broken.push(`${relative(root, page)}: ${target}`);
  }
  return broken;
}

test('every link between our pages leads somewhere', () => {
  const pages = pagesBelow(root);
  expect(pages.map((page) => relative(root, page))).toContain('README.md');
  expect(pages.flatMap(brokenLinks)).toEqual([]);
});

// The commands that the README and the others name must be there.
test('every npm script that a page names exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const named = pagesBelow(root).flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\bnpm (?:run ([a-z][a-z:-]*)|(start|test)\b)/g)].map((match) => match[1] ?? match[2] ?? ''),
  );
  expect(named).toContain('start');
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});
