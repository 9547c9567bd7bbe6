import { expect, test } from 'vitest';
import { checkPartners } from '../../src/partners/index.js';
import { acme, aFolder, NOTICES, PARTNER } from './folder.js';

test.each([
  ['notice: "{senderName} wrote. Ref {ref}"', 'notice: "Somebody wrote."', '1: notice: does not say who wrote'],
  ['Ref {ref}"', 'Ref {ref"', '1: notice: is not an ICU message'],
  ['Ref {ref}"', `${'x'.repeat(130)}"`, '1: notice: takes 168 of the 160 characters of one segment (GSM 7-bit'],
  ['wrote.', 'написал тебе сообщение. Открой приложение и прочитай.', '1: notice: takes 93 of the 70 characters of one segment (UCS-2'],
  ['help: "Help."', 'helps: "Help."', '4: helps: is not a known name'],
])('%s as %s is refused with its line', async (from, to, said) => {
  const folder = aFolder(acme(PARTNER, { 'acme/templates/en.yaml': NOTICES.replace(from, to) }));
  const { problems } = await checkPartners(folder, {});
  expect(problems.some((problem) => problem.startsWith(`${folder}/acme/templates/en.yaml:${said}`))).toBe(true);
});

test('a template named after no language is refused', async () => {
  const folder = aFolder(acme(PARTNER, { 'acme/templates/english_uk.yaml': NOTICES }));
  expect((await checkPartners(folder, {})).problems).toEqual([
    expect.stringContaining('english_uk.yaml: is not named after a BCP 47 language'),
  ]);
});
