import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IntlMessageFormat } from 'intl-messageformat';
import { z } from 'zod';
import { gsmSeptets } from '../smpp/index.js';
import { explainIssue } from './explain-issue.js';
import { isLanguageTag } from './iso-codes.js';
import type { Templates } from './partner.js';
import type { Problem } from './problem.js';
import { readYaml } from './yaml-file.js';

const text = () => z.string().min(1).max(480);

const templatesSchema = z.strictObject({
  notice: text().describe(
    'Somebody wrote, and the text stays in the app: {senderName} is who, {ref} the 4 characters that pair SMS and message.',
  ),
  stopConfirmed: text().describe('The answer to a stop word.'),
  startConfirmed: text().describe('The answer to a start word.'),
  help: text().describe('The answer to a help word.'),
});

/** What a message is measured with: the longest name and reference that the bridge puts in. */
const LONGEST = { senderName: 'N'.repeat(30), ref: 'W4W4' };
const ARGUMENTS: Readonly<Record<keyof Templates, readonly string[]>> = {
  notice: ['senderName', 'ref'],
  stopConfirmed: [],
  startConfirmed: [],
  help: [],
};

/** Reads every `<bcp47>.yaml` of a partner. Each text is an ICU message and fits into one segment (3GPP TS 23.038). */
export async function readTemplates(folder: string): Promise<{ templates: Record<string, Templates>; problems: Problem[] }> {
  const templates: Record<string, Templates> = {};
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
    const result = templatesSchema.safeParse(yaml.value);
    const found = result.success
      ? Object.entries(result.data).flatMap(([key, source]) => {
          const message = wrongWith(source, language, ARGUMENTS[key as keyof Templates]);
          return message === undefined ? [] : [{ path: [key], message }];
        })
      : result.error.issues.flatMap((issue) => explainIssue(issue, yaml.value));
    problems.push(...found.map((problem) => ({ file, line: yaml.lineOf(problem.path), ...problem })));
    if (result.success && found.length === 0) templates[language] = result.data;
  }
  return { templates, problems };
}

function wrongWith(source: string, language: string, known: readonly string[]): string | undefined {
  let shown: string;
  try {
    const values = Object.fromEntries(Object.entries(LONGEST).filter(([name]) => known.includes(name)));
    shown = String(new IntlMessageFormat(source, language, undefined, { ignoreTag: true }).format(values));
  } catch {
    const may = known.length > 0 ? `uses other arguments than ${known.join(' and ')}` : 'uses an argument';
    return `is not an ICU message, or ${may}; fix: correct the braces`;
  }
  if (known.includes('senderName') && !shown.includes(LONGEST.senderName)) return 'does not say who wrote; fix: put {senderName} in';
  const septets = gsmSeptets(shown);
  const [length, longest, alphabet] = septets === undefined ? [shown.length, 70, 'UCS-2'] : [septets, 160, 'GSM 7-bit'];
  if (length <= longest) return undefined;
  return `takes ${length} of the ${longest} characters of one segment (${alphabet}, with a name of 30); fix: shorten it`;
}
