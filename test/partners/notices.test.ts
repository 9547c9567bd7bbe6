import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SegmentedMessage } from 'sms-segments-calculator';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkPartners, loadPartners } from '../../src/partners/index.js';
import { NOTICES_FOLDER, readSharedNotices } from '../../src/partners/read-templates.js';
import { acme, aFolder, NOTICES, PARTNER } from './folder.js';

const shipped = fileURLToPath(new URL('../../partners', import.meta.url));

/** Read by somebody who speaks the language; whoever reads another one takes its mark away and adds it here. */
const REVIEWED = ['ar', 'de', 'en', 'es', 'fr', 'hi', 'it', 'nl', 'pl', 'pt', 'ru', 'tr'];

test('there are notices in at least 50 languages, each marked that nobody has read who speaks it', async () => {
  const { notices, problems } = await readSharedNotices(shipped);
  expect(problems).toEqual([]);
  const languages = Object.keys(notices);
  expect(languages.length).toBeGreaterThanOrEqual(50);
  const unmarked = languages.filter((language) => {
    const file = parse(readFileSync(`${shipped}/${NOTICES_FOLDER}/${language}.yaml`, 'utf8')) as Record<string, unknown>;
    return file['machine-made'] !== true;
  });
  expect(unmarked.sort()).toEqual(REVIEWED);
});

test('every notice is one segment by an independent count too, with the longest name, and names the words it tells of', async () => {
  const { notices } = await readSharedNotices(shipped);
  for (const [language, texts] of Object.entries(notices)) {
    const notice = texts.notice.replace('{senderName}', 'N'.repeat(30)).replace('{ref}', 'W4W4');
    for (const text of [notice, texts.stopConfirmed, texts.startConfirmed, texts.help])
      expect(new SegmentedMessage(text).segmentsCount, `${language}: ${text}`).toBe(1);
    expect(texts.stopConfirmed, language).toContain('START');
    expect(texts.startConfirmed, language).toContain('STOP');
    expect(texts.help, language).toContain('STOP');
  }
});

test('a partner has them all, its own go first, and its own messages are nobody else’s', async () => {
  const folder = aFolder(
    acme(PARTNER, {
      'acme/templates/en.yaml': `${NOTICES}messages:\n  bill-ready: "Your bill of {amount} is ready."\n`,
      [`${NOTICES_FOLDER}/en.yaml`]: `${NOTICES.replace('wrote', 'has written')}somebody: "Someone"\n`,
      [`${NOTICES_FOLDER}/xh.yaml`]: `machine-made: true\n${NOTICES}somebody: "Umntu"\n`,
    }),
  );
  const partner = (await loadPartners(folder, {})).get('acme');
  expect(partner?.templates['en']).toMatchObject({
    notice: '{senderName} wrote. Ref {ref}',
    messages: { 'bill-ready': expect.anything() },
  });
  expect(partner?.templates['xh']).toMatchObject({ notice: '{senderName} wrote. Ref {ref}', messages: {} });
  expect(partner?.somebody).toEqual({ en: 'Someone', xh: 'Umntu' });
});

test.each([
  ['a text that is too long', NOTICES.replace('Help.', 'x'.repeat(161)), 'help: takes 161 of the 160'],
  ['a mark that is none', `machine-made: maybe\n${NOTICES}`, 'machine-made: '],
  ['no word for somebody', NOTICES, 'somebody: is missing'],
])('%s among the shared notices is refused with its file', async (_what, text, said) => {
  const more = said.startsWith('somebody') ? '' : 'somebody: "Someone"\n';
  const folder = aFolder(acme(PARTNER, { [`${NOTICES_FOLDER}/en.yaml`]: text + more }));
  const { problems } = await checkPartners(folder, {});
  expect(problems).toEqual([expect.stringContaining(`${NOTICES_FOLDER}/en.yaml:`)]);
  expect(problems[0]).toContain(said);
});

test.each([
  ['other arguments in another language', '{amount} due', '{sum} due', 'takes sum, and de.yaml takes amount'],
  ['no ICU message', 'due {', 'due', 'is not an ICU message'],
  ['an argument inside a plural', '{n, plural, one {# day, {name}} other {# days}}', '{n} {name}', undefined],
])("a partner's own message with %s", async (_what, german, english, said) => {
  const own = (text: string) => `${NOTICES}messages:\n  bill: "${text}"\n`;
  const folder = aFolder(acme(PARTNER, { 'acme/templates/de.yaml': own(german), 'acme/templates/en.yaml': own(english) }));
  const { problems } = await checkPartners(folder, {});
  expect(problems).toEqual(said === undefined ? [] : [expect.stringContaining(said)]);
});
