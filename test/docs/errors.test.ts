import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Problem, problemOf } from '../../src/http/problem.js';
import { ERROR_CODES, type ErrorCode } from '../../src/kernel/error-codes.js';
import { GatewayError } from '../../src/kernel/errors.js';

const folder = new URL('../../docs/errors/', import.meta.url);
const codes = Object.keys(ERROR_CODES) as ErrorCode[];
const pageOf = (code: string): string => readFileSync(new URL(`${code}.md`, folder), 'utf8');

/** What stands in the first fenced block of a language below `## Example`, or undefined. */
const exampleOf = (page: string, language: string): string | undefined =>
  new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\``).exec(page.split('\n## Example\n')[1] ?? '')?.[1];

test('each code has a page and each page a code', () => {
  const pages = readdirSync(fileURLToPath(folder)).map((name) => name.replace(/\.md$/, ''));
  expect(pages.sort()).toEqual([...codes].sort());
});

// A code that nobody throws is a page that nobody is led to.
test('each code is used somewhere in the program', () => {
  const source = fileURLToPath(new URL('../../src/', import.meta.url));
  const text = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('generated') && !name.endsWith('error-codes.ts'))
    .map((name) => readFileSync(`${source}${name}`, 'utf8'))
    .join('\n');
  expect(codes.filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});

describe.each(codes)('%s', (code) => {
  test('says what happened, how to fix it, and shows it', () => {
    const page = pageOf(code);
    const { title } = ERROR_CODES[code];
    expect(page.split('\n').slice(0, 3).join('\n')).toContain(`# ${code}\n\n${title}. `);
    expect(page.match(/^## .*$/gm)).toEqual(['## What happened', '## How to fix it', '## Example']);
    expect(exampleOf(page, '(?:json|text)')).toBeTruthy();
    if (code.startsWith('SMPP.')) expect(page).toContain('command_status');
  });

  test('shows the body as the gateway writes it', () => {
    const json = exampleOf(pageOf(code), 'json');
    const shown = json === undefined ? undefined : (JSON.parse(json) as Partial<Problem> & Record<string, unknown>);
    // What is met in the terminal, on the wire or in an SMS is shown as it looks there.
    if (shown?.code === undefined) return expect(code).toMatch(/^(SMPP|CONFIG|STORE)\./);
    const { type: _t, title: _n, status: _s, code: _c, message: _m, documentationUrl: _u, ...said } = shown;
    const { detail = '', instance = '', correlator = '', hint, errors, ...extra } = said;
    const failure = new GatewayError(code, { detail, extra, ...(hint && { hint }), ...(errors && { errors }) });
    expect(shown).toEqual(problemOf(failure, { correlator, path: instance }));
  });
});
