import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { explainIssue } from './explain-issue.js';
import { rule } from './fields.js';
import { readIcuMessage, wrongWith } from './icu-message.js';
import { isLanguageTag } from './iso-codes.js';
import type { Templates } from './partner.js';
import type { Problem } from './problem.js';
import { readYaml, type YamlFile } from './yaml-file.js';

const text = () => z.string().min(1).max(480);

/** What the bridge itself says, in any partner's name. */
const noticeTexts = {
  notice: text().describe(
    'Somebody wrote, and the text stays in the app: {senderName} is who, {ref} the 4 characters that pair SMS and message.',
  ),
  stopConfirmed: text().describe('The answer to a stop word.'),
  startConfirmed: text().describe('The answer to a start word.'),
  help: text().describe('The answer to a help word.'),
};

/** A partner's own texts, by the names that its API client sends them under. */
const messageName = () =>
  z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, rule('must be lower-case letters, digits and hyphens', 'name it top-up-done'));

const templatesSchema = z.strictObject({
  ...noticeTexts,
  messages: z.record(messageName(), z.string().min(1).max(1_000)).default({}),
});

const sharedSchema = z.strictObject({
  ...noticeTexts,
  somebody: z.string().min(1).max(30).describe('Stands for a sender who does not want to be named.'),
  'machine-made': z.literal(true).optional().describe('Nobody who speaks the language has read it yet.'),
});

const ARGUMENTS: Readonly<Record<keyof typeof noticeTexts, readonly string[]>> = {
  notice: ['senderName', 'ref'],
  stopConfirmed: [],
  startConfirmed: [],
  help: [],
};

/** The notices that every partner has, with what stands for a nameless sender. */
export type SharedNotices = Readonly<Record<string, Omit<Templates, 'messages'> & { somebody: string }>>;

/** Where they lie, beside the partners. */
export const NOTICES_FOLDER = '_notices';

/**
 * Reads every `<bcp47>.yaml` of a partner. Each notice is an ICU message and fits into one segment (3GPP TS 23.038); the
 * partner's own messages are ICU messages with the same arguments in every language.
 */
export async function readTemplates(folder: string): Promise<{ templates: Record<string, Templates>; problems: Problem[] }> {
  const { found, problems } = await readLanguages(folder, templatesSchema, (texts, language) => [
    ...noticeProblems(texts, language),
    ...Object.entries(texts.messages).flatMap(([name, source]) => {
      const message = readIcuMessage(source, language) === undefined ? 'is not an ICU message; fix: correct the braces' : undefined;
      return message === undefined ? [] : [{ path: ['messages', name], message }];
    }),
  ]);
  const templates = Object.fromEntries(Object.entries(found).map(([language, { value }]) => [language, value]));
  return { templates, problems: [...problems, ...unlikeArguments(found)] };
}

/** Reads the notices that are there for every partner, in its languages and in those it did not think of. */
export async function readSharedNotices(directory: string): Promise<{ notices: SharedNotices; problems: Problem[] }> {
  const { found, problems } = await readLanguages(join(directory, NOTICES_FOLDER), sharedSchema, noticeProblems);
  const notices = Object.entries(found).map(([language, { value }]) => {
    const { 'machine-made': _, ...texts } = value;
    return [language, texts] as const;
  });
  return { notices: Object.fromEntries(notices), problems };
}

type FieldProblem = { path: string[]; message: string };

async function readLanguages<T>(
  folder: string,
  schema: z.ZodType<T>,
  check: (texts: T, language: string) => FieldProblem[],
): Promise<{ found: Record<string, { value: T; yaml: YamlFile }>; problems: Problem[] }> {
  const all: Record<string, { value: T; yaml: YamlFile }> = {};
  const problems: Problem[] = [];
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names.filter((entry) => entry.endsWith('.yaml')).sort()) {
    const file = join(folder, name);
    const language = name.slice(0, -'.yaml'.length);
    if (!isLanguageTag(language)) {
      problems.push({ file, line: 0, path: [], message: 'is not named after a BCP 47 language; fix: name it de.yaml or en-JM.yaml' });
      continue;
    }
    const read = readYaml(file, await readFile(file, 'utf8').catch(() => ''));
    if ('problems' in read) {
      problems.push(...read.problems);
      continue;
    }
    const { yaml } = read;
    const result = schema.safeParse(yaml.value);
    const found = result.success ? check(result.data, language) : result.error.issues.flatMap((issue) => explainIssue(issue, yaml.value));
    problems.push(...found.map((problem) => ({ file, line: yaml.lineOf(problem.path), ...problem })));
    if (result.success && found.length === 0) all[language] = { value: result.data, yaml };
  }
  return { found: all, problems };
}

function noticeProblems(texts: Record<keyof typeof noticeTexts, string>, language: string): FieldProblem[] {
  return Object.entries(ARGUMENTS).flatMap(([key, known]) => {
    const message = wrongWith(texts[key as keyof typeof noticeTexts], language, known);
    return message === undefined ? [] : [{ path: [key], message }];
  });
}

/** The same message takes the same arguments in every language: the caller does not know which one the reader gets. */
function unlikeArguments(found: Record<string, { value: Templates; yaml: YamlFile }>): Problem[] {
  const first = new Map<string, { language: string; names: string }>();
  return Object.entries(found).flatMap(([language, { value, yaml }]) =>
    Object.entries(value.messages).flatMap(([name, source]) => {
      const names = [...(readIcuMessage(source, language)?.arguments.keys() ?? [])].sort().join(', ');
      const other = first.get(name);
      if (!other) first.set(name, { language, names });
      if (!other || other.names === names) return [];
      const path = ['messages', name];
      const message = `takes ${names || 'nothing'}, and ${other.language}.yaml takes ${other.names || 'nothing'}; fix: use the same`;
      return [{ file: yaml.file, line: yaml.lineOf(path), path, message }];
    }),
  );
}
