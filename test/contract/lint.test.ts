import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ERROR_CODES } from '../../src/kernel/error-codes.js';
import { ID_PREFIXES } from '../../src/kernel/ids.js';

type Node = Record<string, unknown>;

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = readFileSync(`${root}openapi.yaml`, 'utf8');
const VERBS = ['get', 'put', 'post', 'patch', 'delete'];
/** Schemas that are open on purpose: RFC 6749 §3.2 ignores unknown parameters; an event's resource is what its type says. */
const OPEN = ['TokenRequest', 'EventResource', 'EventPrevious'];
/** POSTs that only look something up, so they read and need no Idempotency-Key. */
const LOOKUPS = ['searchSims', 'searchSubscriptions', 'decideEntitlement'];
const KEY_REQUIRED = [
  'createSimBatch',
  'createOrder',
  'confirmTask',
  'rejectTask',
  'createLineEvent',
  'createEventSubscription',
  'sendSandboxInboundSms',
  'acknowledgeTrafficList',
  'publishPlan',
];
const contract = (): Node => parse(text) as Node;
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);
const node = (value: unknown): Node => (isNode(value) ? value : {});
const word = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Follows a local `$ref`; a value without one is its own target. */
function resolve(doc: Node, value: unknown): Node {
  const ref = node(value)['$ref'];
  if (typeof ref !== 'string') return node(value);
  return ref
    .slice(2)
    .split('/')
    .reduce<Node>((at, key) => node(at[key]), doc);
}

interface Operation {
  path: string;
  verb: string;
  id: string;
  body: Node;
  parameters: Node[];
  scopes: string[];
}

function operations(doc: Node, under: 'paths' | 'x-webhooks'): Operation[] {
  return Object.entries(node(doc[under])).flatMap(([path, item]) =>
    VERBS.filter((verb) => verb in node(item)).map((verb) => {
      const body = node(node(item)[verb]);
      const security = list(body['security']).map(node);
      const parameters = list(body['parameters']).map((parameter) => resolve(doc, parameter));
      return {
        path,
        verb,
        id: word(body['operationId']),
        body,
        parameters,
        scopes: security.flatMap((s) => list(s['oauth2']).map(String)),
      };
    }),
  );
}

/** Every schema object of the document with the place where it stands: components first, then parameters and headers. */
function schemas(doc: Node): { at: string; schema: Node; named: boolean }[] {
  const found: { at: string; schema: Node; named: boolean }[] = [];
  const visit = (at: string, value: unknown, named: boolean): void => {
    const schema = node(value);
    found.push({ at, schema, named });
    for (const [name, property] of Object.entries(node(schema['properties']))) visit(`${at}.${name}`, property, false);
    if (isNode(schema['items'])) visit(`${at}[]`, schema['items'], false);
    if (isNode(schema['additionalProperties'])) visit(`${at}{}`, schema['additionalProperties'], false);
  };
  const components = node(doc['components']);
  for (const [name, schema] of Object.entries(node(components['schemas']))) visit(name, schema, true);
  return found;
}

/** What is wrong with the schemas, one sentence each. */
function schemaFindings(doc: Node): string[] {
  const out: string[] = [];
  for (const { at, schema, named } of schemas(doc)) {
    for (const keyword of ['oneOf', 'anyOf', 'allOf', 'not', 'discriminator']) if (keyword in schema) out.push(`${at} uses ${keyword}`);
    const target = resolve(doc, schema);
    if (typeof target['description'] !== 'string' || target['description'].length < 2) out.push(`${at} has no description`);
    if ('$ref' in schema) {
      if (Object.keys(schema).length > 1) out.push(`${at} has siblings of $ref`);
      continue;
    }
    if (!named && (schema['type'] === 'object' || 'properties' in schema)) out.push(`${at} is an object without a name`);
    if (!named && 'enum' in schema) out.push(`${at} is an enum without a name`);
    if (schema['type'] === undefined) out.push(`${at} has no type`);
    if (schema['type'] === 'object' && named) {
      const closed = schema['additionalProperties'] === false;
      const map = isNode(schema['additionalProperties']) && typeof schema['maxProperties'] === 'number';
      if (!closed && !map && !OPEN.includes(at)) out.push(`${at} is open`);
    }
    const bounded = 'enum' in schema || 'maxLength' in schema;
    if (schema['type'] === 'string' && !bounded) out.push(`${at} is an unbounded string`);
    if (schema['type'] === 'integer' && !('minimum' in schema && 'maximum' in schema)) out.push(`${at} is an unbounded integer`);
    if (schema['type'] === 'array' && !('maxItems' in schema)) out.push(`${at} is an unbounded array`);
    if (at.endsWith('.data') && !/^(CloudEvent|[A-Za-z]+Event)\.data$/.test(at)) out.push(`${at} is called data`);
    const prefix = /^\^([a-z]+)_\[0-9a-hjkmnp-tv-z\]\{26\}\$$/.exec(word(schema['pattern']))?.[1];
    if (prefix !== undefined && !(ID_PREFIXES as readonly string[]).includes(prefix)) out.push(`${at} has an unknown id prefix ${prefix}`);
  }
  return out;
}

/** What is wrong with the operations, one sentence each. */
function operationFindings(doc: Node): string[] {
  const out: string[] = [];
  const flows = node(node(node(node(node(doc['components'])['securitySchemes'])['oauth2'])['flows'])['clientCredentials']);
  const known = Object.keys(node(flows['scopes']));
  for (const { path, verb, id, body, parameters, scopes } of operations(doc, 'paths')) {
    const say = (what: string): void => void out.push(`${id}: ${what}`);
    const header = (name: string): Node | undefined => parameters.find((p) => p['in'] === 'header' && p['name'] === name);
    if (!/^[a-z]+[A-Z]\w*$/.test(id)) say('the operationId is not a verb and a noun');
    if (header('x-correlator') === undefined) say('takes no x-correlator');
    for (const parameter of parameters) {
      if (/msisdn|imsi|iccid/i.test(word(parameter['name']))) say('a number is in the URL or a header');
    }
    for (const scope of scopes) if (!known.includes(scope)) say(`unknown scope ${scope}`);
    if (path.startsWith('/v1/')) {
      const wanted = verb === 'get' || LOOKUPS.includes(id) ? ':read' : ':write';
      if (id !== 'getPartner' && !(scopes.length === 1 && scopes[0]?.endsWith(wanted))) say(`does not ask for one ${wanted} scope`);
    }
    if (path.startsWith('/messaging/') && scopes.length > 0) say('takes a partner token');
    const key = header('Idempotency-Key');
    if (KEY_REQUIRED.includes(id) && key?.['required'] !== true) say('does not require the Idempotency-Key');
    if (path.startsWith('/v1/') && verb === 'post' && !LOOKUPS.includes(id) && key === undefined) say('takes no Idempotency-Key');
    const responses = Object.entries(node(body['responses'])).map(([status, response]) => ({
      status: Number(status),
      response: resolve(doc, response),
    }));
    if (path.startsWith('/v1/') && (verb === 'put' || verb === 'delete')) {
      if (header('If-Match') === undefined) say('takes no If-Match');
      for (const status of [412, 428]) if (!responses.some((r) => r.status === status)) say(`does not answer ${status}`);
    }
    for (const { status, response } of responses) {
      if (!('x-correlator' in node(response['headers']))) say(`${status} has no x-correlator`);
      const content = node(response['content']);
      if (status >= 400) {
        const wanted = id === 'createToken' ? 'application/json' : 'application/problem+json';
        if (Object.keys(content).join() !== wanted) say(`${status} is not ${wanted}`);
        if (status === 401 && !('WWW-Authenticate' in node(response['headers']))) say('401 has no WWW-Authenticate');
        const code = node(node(content['application/problem+json'])['example'])['code'];
        if (code !== undefined && !(word(code) in ERROR_CODES)) say(`the example of ${status} has an unknown code`);
      }
      for (const media of Object.values(content))
        if (!('$ref' in node(node(media)['schema']))) say(`${status} has a schema without a name`);
      const schema = resolve(doc, node(node(content['application/json'])['schema']));
      const names = parameters.map((p) => p['name']);
      if ('nextCursor' in node(schema['properties'])) {
        if (!names.includes('after') || !names.includes('limit')) say('is a list without after and limit');
      }
    }
    if (parameters.some((p) => p['name'] === 'If-None-Match') && !responses.some((r) => r.status === 304)) say('does not answer 304');
  }
  return out;
}

/** What is wrong with the webhooks, one sentence each. */
function webhookFindings(doc: Node): string[] {
  const out: string[] = [];
  for (const { path, body } of operations(doc, 'x-webhooks')) {
    const media = node(node(node(body['requestBody'])['content'])['application/cloudevents+json']);
    const type = resolve(doc, node(node(resolve(doc, media['schema'])['properties'])['type']));
    if (!/^com\.causeway\.v1\.[a-z-]+\.[a-z-]+$/.test(path)) out.push(`${path} is not an event type`);
    if (!list(type['enum']).includes(path)) out.push(`${path} is not a type of its schema`);
    if (node(media['example'])['type'] !== path) out.push(`${path} has the example of another type`);
  }
  return out;
}

describe('the contract', () => {
  it('lints clean under redocly.yaml', () => {
    const run = spawnSync(process.execPath, ['node_modules/@redocly/cli/bin/cli.js', 'lint', 'openapi.yaml', '--format=stylish'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    });
    expect({ status: run.status, errors: `${run.stdout}${run.stderr}`.split('\n').filter((line) => / (error|warn) /.test(line)) }).toEqual({
      status: 0,
      errors: [],
    });
  }, 60_000);

  it('is OpenAPI 3.0.3 with whole paths and no servers prefix', () => {
    expect(contract()).toMatchObject({ openapi: '3.0.3' });
    expect(contract()).not.toHaveProperty('servers');
  });

  it('names, describes, closes and bounds every schema', () => {
    expect(schemaFindings(contract())).toEqual([]);
  });

  it('gives every operation its scope, correlator, preconditions and problem answers', () => {
    expect(operationFindings(contract())).toEqual([]);
  });

  it('gives every webhook its own type and example', () => {
    expect(operations(contract(), 'x-webhooks').length).toBeGreaterThanOrEqual(23);
    expect(webhookFindings(contract())).toEqual([]);
  });

  it('never shows the text of a message to a partner, except in the sandbox', () => {
    const texts = schemas(contract())
      .map(({ at }) => at)
      .filter((at) => at.endsWith('.text'));
    expect(texts.sort()).toEqual(['SandboxInboundSmsRequest.text', 'SandboxSms.text']);
  });
});

describe('the rules of this file', () => {
  const broken = (change: (schemas: Node, doc: Node) => void): Node => {
    const doc = contract();
    change(node(node(doc['components'])['schemas']), doc);
    return doc;
  };
  const property = (all: Node, schema: string, name: string): Node => node(node(node(all[schema])['properties'])[name]);

  it.each<[string, (all: Node) => void, string]>([
    ['an unbounded string', (all) => delete property(all, 'Plan', 'name')['maxLength'], 'Plan.name is an unbounded string'],
    ['an unbounded integer', (all) => delete property(all, 'Plan', 'version')['maximum'], 'Plan.version is an unbounded integer'],
    ['an unbounded array', (all) => delete property(all, 'Plan', 'allowances')['maxItems'], 'Plan.allowances is an unbounded array'],
    ['a property without a sentence', (all) => delete property(all, 'Plan', 'name')['description'], 'Plan.name has no description'],
    ['an open object', (all) => delete node(all['Plan'])['additionalProperties'], 'Plan is open'],
    ['an inline enum', (all) => Object.assign(property(all, 'Plan', 'name'), { enum: ['a'] }), 'Plan.name is an enum without a name'],
  ])('find %s', (_what, change, finding) => {
    expect(schemaFindings(broken(change))).toContain(finding);
  });

  it('find a missing scope, a missing key and a wrong webhook example', () => {
    const doc = broken((_all, whole) => {
      const post = node(node(node(whole['paths'])['/v1/orders'])['post']);
      post['security'] = [{ oauth2: [] }];
      post['parameters'] = [];
      const hook = node(node(node(whole['x-webhooks'])['com.causeway.v1.order.completed'])['post']);
      node(node(node(node(hook['requestBody'])['content'])['application/cloudevents+json'])['example'])['type'] =
        'com.causeway.v1.order.failed';
    });
    expect(operationFindings(doc)).toEqual(
      expect.arrayContaining([
        'createOrder: takes no x-correlator',
        'createOrder: does not ask for one :write scope',
        'createOrder: does not require the Idempotency-Key',
      ]),
    );
    expect(webhookFindings(doc)).toEqual(['com.causeway.v1.order.completed has the example of another type']);
  });
});
