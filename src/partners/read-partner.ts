import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { explainIssue } from './explain-issue.js';
import { SANDBOX_MARKET } from './iso-codes.js';
import type { ClientKeys, Partner, Templates } from './partner.js';
import { partnerRules } from './partner-rules.js';
import { type PartnerDocument, partnerSchema } from './partner-schema.js';
import { type Problem, shownPath, type YamlPath } from './problem.js';
import { readJwks } from './read-jwks.js';
import { readTemplates, type SharedNotices } from './read-templates.js';
import { type Resolved, resolveReferences } from './references.js';
import { readYaml, type YamlFile } from './yaml-file.js';

/** A partner.yaml and those of its sections that are valid by themselves. */
export interface PartnerFile {
  yaml: YamlFile;
  document: Partial<PartnerDocument>;
}

export interface PartnerReading {
  problems: Problem[];
  /** Absent when the file could not be read at all. */
  file?: PartnerFile;
  /** Present only without any problem. */
  partner?: Partner;
}

/**
 * Reads one partner's folder whole. A section that is not valid does not hide what is wrong in the others.
 *
 * @param folder the path. @param name the folder's own name, which `id` must repeat.
 * @param shared the notices that every partner has.
 */
export async function readPartner(
  folder: string,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  shared: SharedNotices = {},
): Promise<PartnerReading> {
  const path = join(folder, 'partner.yaml');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) {
    return { problems: [{ file: path, line: 0, path: [], message: 'cannot be read; fix: put it there, or remove the folder' }] };
  }
  const read = readYaml(path, text);
  if ('problems' in read) return { problems: read.problems };
  const { yaml } = read;
  const resolved = resolveReferences(yaml.value, folder, env);
  const checked = checkSections(resolved);
  const { document } = checked;
  const found = [...resolved.unresolved.values(), ...checked.found, ...partnerRules(document, name, resolved.origins)];
  const { keys, found: keysFound } = await readClientKeys(folder, document.clients ?? []);
  const { templates, problems: templateProblems } = await readTemplates(join(folder, 'templates'));
  for (const [index, { defaultLanguage }] of (document.markets ?? []).entries()) {
    const hasTexts = templates[defaultLanguage] !== undefined || shared[defaultLanguage] !== undefined;
    if (hasTexts || templateProblems.some(({ file }) => file.endsWith(`${defaultLanguage}.yaml`))) continue;
    found.push({
      path: ['markets', index, 'defaultLanguage'],
      message: `has no templates/${defaultLanguage}.yaml; fix: write it, as in _template/`,
    });
  }
  const problems = [
    ...[...found, ...keysFound].map((problem) => ({ file: yaml.file, line: yaml.lineOf(problem.path), ...problem })),
    ...templateProblems,
  ];
  if (problems.length > 0) return { problems, file: { yaml, document } };
  return { problems, file: { yaml, document }, partner: assemble(document as PartnerDocument, keys, templates, shared) };
}

function checkSections({ value, unresolved }: Resolved): {
  document: Partial<PartnerDocument>;
  found: { path: YamlPath; message: string }[];
} {
  const sections: Readonly<Record<string, z.ZodType>> = partnerSchema.shape;
  const given = value as Record<string, unknown>;
  const document: Record<string, unknown> = {};
  const found: { path: YamlPath; message: string }[] = [];
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(sections, name)) {
      found.push({ path: [name], message: 'is not a known name; fix: remove it, or spell it as in _template/partner.yaml' });
    }
  }
  for (const [name, schema] of Object.entries(sections)) {
    const result = schema.safeParse(given[name]);
    if (result.success) document[name] = result.data;
    else {
      const issues = result.error.issues.flatMap((issue) => explainIssue(issue, given[name]));
      found.push(
        ...issues.map(({ path, message }) => ({ path: [name, ...path], message })).filter(({ path }) => !unresolved.has(shownPath(path))),
      );
    }
  }
  return { document, found };
}

async function readClientKeys(folder: string, clients: PartnerDocument['clients']) {
  const keys: ClientKeys[] = [];
  const found: { path: YamlPath; message: string }[] = [];
  for (const [index, { keys: given }] of clients.entries()) {
    if (given?.jwksFile !== undefined) {
      const result = await readJwks(join(folder, given.jwksFile));
      if ('message' in result) found.push({ path: ['clients', index, 'keys', 'jwksFile'], message: result.message });
      else keys.push({ kind: 'jwks', keys: result.keys });
    } else if (given?.jwksUri !== undefined) keys.push({ kind: 'jwksUri', uri: given.jwksUri });
    else keys.push(given?.secret === undefined ? { kind: 'created' } : { kind: 'secret', secret: given.secret });
  }
  return { keys, found };
}

function assemble(
  document: PartnerDocument,
  keys: readonly ClientKeys[],
  templates: Readonly<Record<string, Templates>>,
  shared: SharedNotices,
): Partner {
  const codes = document.markets.map(({ code }) => code);
  return {
    ...document,
    markets: document.markets.map((market) => ({
      ...market,
      dialable: (market.code === SANDBOX_MARKET) === (document.environment === 'sandbox'),
    })),
    clients: document.clients.map(({ id, scopes, markets }, index) => ({
      id,
      scopes,
      markets: markets ?? codes,
      keys: keys[index] ?? { kind: 'created' },
    })),
    templates: { ...withoutMessages(shared), ...templates },
    somebody: Object.fromEntries(Object.entries(shared).map(([language, { somebody }]) => [language, somebody])),
  };
}

const withoutMessages = (shared: SharedNotices): Record<string, Templates> =>
  Object.fromEntries(
    Object.entries(shared).map(([language, { notice, stopConfirmed, startConfirmed, help }]) => [
      language,
      { notice, stopConfirmed, startConfirmed, help, messages: {} },
    ]),
  );
