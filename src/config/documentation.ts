import { z } from 'zod';
import { environmentSchema, type OptionName } from './environment.js';
import { factsOf, optionNames } from './read-config.js';

/** The default as a person would set it; undefined where there is none. */
function literalDefault(name: OptionName): string | undefined {
  const schema = environmentSchema.shape[name];
  if (!(schema instanceof z.ZodDefault)) return undefined;
  const value: unknown = schema.def.defaultValue;
  return Array.isArray(value) ? value.join(',') : String(value);
}

const defaultShown = (name: OptionName): string => factsOf(name).defaultText ?? literalDefault(name) ?? 'none';
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** docs/configuration.md, whole. */
export function printConfigurationPage(): string {
  const rows = optionNames.map((name) => {
    const { description, unit, bound } = factsOf(name);
    return `| \`${name}\` | ${[defaultShown(name), unit, bound, description].map(cell).join(' | ')} |`;
  });
  return [
    '# Configuration',
    '',
    '<!-- Printed from src/config/environment.ts by tools/print-configuration.mjs. Change the schema, then print again. -->',
    '',
    'Options of the process are environment variables. Every one has a default that works in the sandbox, so none needs to be set to begin.',
    'A value that is not valid and a `CAUSEWAY_*` name that is not listed here stop the start; all problems are told at once, each with its fix.',
    'A variable set to the empty string counts as not set.',
    '',
    '| variable | default | unit | bound | what it does |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    '`CAUSEWAY_URL`, `CAUSEWAY_REQUIRE` and `CAUSEWAY_TEST_DATABASE_URL` belong to the demo, CI and the test suite; the gateway ignores them.',
    '',
    '## In production',
    '',
    'With `CAUSEWAY_ENV=production` the start is refused',
    '',
    '- without `CAUSEWAY_PUBLIC_URL` and the three `CAUSEWAY_ORIGIN_*`, all https, none of them on this machine, and a different origin for each traffic class;',
    '- with a default password in `CAUSEWAY_DATABASE_URL`;',
    '- with a partner whose `environment` is `sandbox`, a literal or default secret in a `partner.yaml`, a client with a shared secret, or an SMPP link without TLS that does not declare a VPN;',
    '- with an SMPP password that is a default one, wherever the reference leads;',
    '- on data that a sandbox made: clients with shared secrets, or a webhook whose sink is http.',
    '',
    'What an operator brings is configured in [`partners/`](../partners/_template/README.md), one folder each.',
    '',
  ].join('\n');
}

/** .env.example, whole: every option, commented out, with its default as the value. */
export function printEnvExample(): string {
  const blocks = optionNames.map((name) => {
    const { description, bound } = factsOf(name);
    return [`# ${description}`, `# ${bound}. Default: ${defaultShown(name)}`, `#${name}=${literalDefault(name) ?? ''}`, ''].join('\n');
  });
  return [
    '# Printed from src/config/environment.ts by tools/print-configuration.mjs. Change the schema, then print again.',
    '# Nothing here needs to be set to run the sandbox. docs/configuration.md has the same in one table.',
    '',
    ...blocks,
  ].join('\n');
}
