#!/usr/bin/env node
/**
 * Prints docs/events.md from the contract's `x-webhooks`: `node tools/print-events.mjs` writes the page, `--check` only
 * says whether the page is what the contract makes of it (exit code 1 when not).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const page = join(root, 'docs', 'events.md');

/** The event types of a contract with what the page says of each, in the contract's order. */
export function readEvents(contract) {
  return Object.entries(contract['x-webhooks']).map(([type, { post }]) => {
    const media = post.requestBody.content['application/cloudevents+json'];
    const event = follow(contract, media.schema);
    const { resource } = follow(contract, event.properties.data).properties;
    return {
      type,
      summary: post.summary,
      schema: nameOf(resource),
      resource: follow(contract, resource),
      example: media.example,
    };
  });
}

/** The page for a contract, as Markdown. */
export function printEvents(contract) {
  const events = readEvents(contract);
  const rows = events.map(
    ({ type, summary, schema }) => `| [\`${type}\`](#${anchor(type)}) | ${summary} | [${schema}](#${schema.toLowerCase()}) |`,
  );
  const schemas = new Map(events.map(({ schema, resource }) => [schema, resource]));
  return `# Events

<!-- Printed from x-webhooks in openapi.yaml by tools/print-events.mjs. Change the contract, not this page. -->

Everything that happens to a partner's resources is an event: a CloudEvent (1.0.2, structured JSON) in the event log, and a
webhook to every event subscription that asked for its type. \`data.resource\` is the whole resource as the API shows it, and
\`data.previous\` what changed of it, as it was; never the text of a message.

## How they arrive

| | |
|---|---|
| signature | Standard Webhooks 1.0: \`webhook-id\`, \`webhook-timestamp\`, \`webhook-signature\` over \`id.timestamp.body\`, the body's bytes as they came. Scheme \`v1\` is HMAC-SHA256 with the secret of the subscription (\`whsec_…\`), \`v1a\` is ed25519 with the partner's key in our JWKS. Refuse a timestamp that is more than 5 minutes off. |
| success | any 2xx within 15 seconds. A redirect is a failure. 410 ends the subscription. 429, 502 and 504 slow it down, for as long as \`Retry-After\` says, at most an hour. |
| retries | at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, each up to a tenth later. After five days without one success the subscription becomes inactive. |
| repeats | at least once: the same event may arrive twice, always with the same \`webhook-id\`, which is its \`id\`. |
| order | not promised. \`sequence\` counts the events of one \`subject\`: ignore one that is lower than the last you saw. |
| catching up | \`GET /v1/events?after=\` has every event of at least the last 30 days, in the order of the log. |

## Types

More types may come: answer 2xx to what you do not know.

| type | when | \`data.resource\` |
|---|---|---|
${rows.join('\n')}

## Examples

${events.map(printEvent).join('\n')}
## Schemas of \`data.resource\`

Whole and with every bound in \`openapi.yaml\`.

${[...schemas].map(([name, schema]) => printSchema(contract, name, schema)).join('\n')}`;
}

const anchor = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
const nameOf = (schema) => schema.$ref?.split('/').at(-1) ?? 'object';

function follow(contract, schema) {
  if (!schema.$ref) return schema;
  return schema.$ref
    .slice(2)
    .split('/')
    .reduce((node, key) => node[key], contract);
}

function printEvent({ type, summary, example }) {
  return `### ${type}

${summary}.

\`\`\`json
${JSON.stringify(example, null, 2)}
\`\`\`
`;
}

function printSchema(contract, name, schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([member, given]) => {
    const description = given.description ?? follow(contract, given).description ?? '';
    return `| \`${member}\` | ${typeOf(contract, given)} | ${required.has(member) ? 'always' : ''} | ${description.replaceAll('|', '\\|')} |`;
  });
  return `### ${name}

${schema.description ?? ''}

| member | type | there | meaning |
|---|---|---|---|
${rows.join('\n')}
`;
}

function typeOf(contract, given) {
  const schema = follow(contract, given);
  if (schema.type === 'array') return `array of ${typeOf(contract, schema.items)}`;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' ');
  if (schema.type === 'object' || !schema.type) return nameOf(given);
  return schema.format ? `${schema.type} (${schema.format})` : schema.type;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const text = printEvents(parse(readFileSync(join(root, 'openapi.yaml'), 'utf8')));
  if (!process.argv.includes('--check')) writeFileSync(page, text);
  else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
    process.stderr.write('docs/events.md is not what openapi.yaml makes of it: run node tools/print-events.mjs\n');
    process.exitCode = 1;
  }
}
