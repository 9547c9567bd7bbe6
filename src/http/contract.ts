import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { assert } from '../kernel/errors.js';

/** An object of the contract (OpenAPI 3.0.3), as parsed: members are looked at one by one. */
export type SpecObject = { readonly [member: string]: unknown };

/** Who may call an operation: an operator's client, a device, or anybody. */
export type Audience = 'partner' | 'device' | 'public';

/** What the edge needs to know of one operation of the contract. */
export interface Operation {
  id: string;
  /** Upper case. */
  method: string;
  /** The path key as written: `/v1/orders/{orderId}`. */
  template: string;
  audience: Audience;
  /** Scopes that the token must hold, all of them. */
  scopes: readonly string[];
  /** Media types of the request's body, lower case; empty when the operation takes none. */
  bodyTypes: readonly string[];
  bodyRequired: boolean;
  /** The schema of the JSON body, when there is one. */
  bodySchema: SpecObject | undefined;
  /** Media types of the 2xx answers. */
  answerTypes: readonly string[];
  /** Statuses whose answer declares an `ETag` header. */
  etagStatuses: ReadonlySet<string>;
  idempotencyKeyRequired: boolean;
  /** Headers as the contract spells them, by their lower-case name. */
  headerNames: ReadonlyMap<string, string>;
}

export interface Match {
  operation: Operation;
  params: Record<string, string>;
}

export interface Contract {
  /** The file as it is, for `/openapi.yaml`. */
  text: string;
  document: SpecObject;
  operations: readonly Operation[];
  /** What answers here: an operation, or the methods that would be allowed, or undefined for an unknown path. */
  match(method: string, path: string): Match | { allow: readonly string[] } | undefined;
  /** Follows `$ref`s within the document until there is none. */
  resolve(node: unknown): SpecObject;
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

export const isSpecObject = (node: unknown): node is SpecObject => typeof node === 'object' && node !== null && !Array.isArray(node);
const objectAt = (node: unknown): SpecObject => (isSpecObject(node) ? node : {});
const listAt = (node: unknown): readonly unknown[] => (Array.isArray(node) ? node : []);

/** Reads the contract. @throws Error when the file is no OpenAPI document or two operations share an id. */
export function loadContract(path: string): Contract {
  const text = readFileSync(path, 'utf8');
  return contractOf(text, builtDocument(text) ?? parse(text));
}

export function parseContract(text: string): Contract {
  return contractOf(text, parse(text));
}

/** Where tools/build.mjs puts the contract as JSON; beside the sources there is none. */
const BUILT = new URL('../openapi.json', import.meta.url);

/** The document as the build has read it, when it read this very text: parsing the YAML takes most of a second. */
function builtDocument(text: string): unknown {
  try {
    const built = JSON.parse(readFileSync(BUILT, 'utf8')) as { sha256?: unknown; document?: unknown };
    return built.sha256 === createHash('sha256').update(text).digest('hex') ? built.document : undefined;
  } catch {
    return undefined;
  }
}

function contractOf(text: string, document: unknown): Contract {
  assert(isSpecObject(document) && isSpecObject(document['paths']), 'the contract is an OpenAPI document with paths');
  const resolve = resolver(document);
  const operations: Operation[] = [];
  for (const [template, item] of Object.entries(document['paths'])) {
    for (const method of METHODS) {
      const node = objectAt(item)[method];
      if (!isSpecObject(node)) continue;
      const shared = listAt(objectAt(item)['parameters']);
      operations.push(readOperation(document, resolve, method, template, node, shared));
    }
  }
  const ids = new Set<string>();
  for (const { id } of operations) {
    assert(!ids.has(id), `the operationId ${id} is used once`);
    ids.add(id);
  }
  return { text, document, operations, match: matcher(operations), resolve };
}

function resolver(document: SpecObject): (node: unknown) => SpecObject {
  return (node) => {
    let current = objectAt(node);
    for (let hops = 0; typeof current['$ref'] === 'string'; hops++) {
      const reference: string = current['$ref'];
      assert(reference.startsWith('#/') && hops < 32, `the reference ${reference} stays within the contract`);
      let target: unknown = document;
      for (const step of reference.slice(2).split('/')) target = objectAt(target)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
      assert(isSpecObject(target), `the reference ${reference} leads somewhere`);
      current = target;
    }
    return current;
  };
}

type Resolve = (node: unknown) => SpecObject;

function readOperation(
  document: SpecObject,
  resolve: Resolve,
  method: string,
  template: string,
  node: SpecObject,
  shared: readonly unknown[],
): Operation {
  const id = node['operationId'];
  assert(typeof id === 'string', `${method} ${template} has an operationId`);
  const headers = [...shared, ...listAt(node['parameters'])].map(resolve).filter((parameter) => parameter['in'] === 'header');
  const body = resolve(node['requestBody']);
  const content = objectAt(body['content']);
  const answers = Object.entries(objectAt(node['responses'])).map(([status, answer]) => [status, resolve(answer)] as const);
  const json = objectAt(content['application/json'])['schema'];
  return {
    id,
    method: method.toUpperCase(),
    template,
    ...readSecurity(document, resolve, node),
    bodyTypes: Object.keys(content).map((type) => type.toLowerCase()),
    bodyRequired: body['required'] === true,
    bodySchema: json === undefined ? undefined : resolve(json),
    answerTypes: answers.filter(([status]) => status.startsWith('2')).flatMap(([, answer]) => Object.keys(objectAt(answer['content']))),
    etagStatuses: new Set(
      answers
        .filter(([, answer]) => Object.keys(objectAt(answer['headers'])).some((name) => name.toLowerCase() === 'etag'))
        .map(([status]) => status),
    ),
    idempotencyKeyRequired: headers.some((h) => String(h['name']).toLowerCase() === 'idempotency-key' && h['required'] === true),
    headerNames: new Map(headers.map((header) => [String(header['name']).toLowerCase(), String(header['name'])])),
  };
}

/** `oauth2` schemes are for partners' clients, `http bearer` for devices; an operation has one of them or none. */
function readSecurity(document: SpecObject, resolve: Resolve, node: SpecObject): { audience: Audience; scopes: string[] } {
  const schemes = objectAt(objectAt(document['components'])['securitySchemes']);
  for (const requirement of listAt(node['security'] ?? document['security'])) {
    for (const [name, scopes] of Object.entries(objectAt(requirement))) {
      const scheme = resolve(schemes[name]);
      if (scheme['type'] === 'oauth2') return { audience: 'partner', scopes: listAt(scopes).map(String) };
      if (scheme['type'] === 'http' && String(scheme['scheme']).toLowerCase() === 'bearer') return { audience: 'device', scopes: [] };
    }
  }
  return { audience: 'public', scopes: [] };
}

interface Node {
  literals: Map<string, Node>;
  parameter: Node | undefined;
  operations: Map<string, { operation: Operation; names: string[] }>;
}

const newNode = (): Node => ({ literals: new Map(), parameter: undefined, operations: new Map() });

/** Paths by their segments; a literal segment wins over a parameter. A trailing slash is another path. */
function matcher(operations: readonly Operation[]): Contract['match'] {
  const root = newNode();
  for (const operation of operations) {
    let node = root;
    const names: string[] = [];
    for (const segment of operation.template.slice(1).split('/')) {
      const name = /^\{(.+)\}$/.exec(segment)?.[1];
      if (name === undefined) {
        const next = node.literals.get(segment) ?? newNode();
        node.literals.set(segment, next);
        node = next;
      } else {
        names.push(name);
        node.parameter ??= newNode();
        node = node.parameter;
      }
    }
    node.operations.set(operation.method, { operation, names });
  }

  function find(node: Node, segments: readonly string[], at: number, values: string[]): { node: Node; values: string[] } | undefined {
    const segment = segments[at];
    if (segment === undefined) return node.operations.size > 0 ? { node, values } : undefined;
    const literal = node.literals.get(segment);
    const found = literal && find(literal, segments, at + 1, values);
    if (found || !node.parameter || segment === '') return found;
    return find(node.parameter, segments, at + 1, [...values, segment]);
  }

  return (method, path) => {
    const segments = path.slice(1).split('/');
    if (segments.length > 16) return undefined;
    const found = find(root, segments, 0, []);
    if (!found) return undefined;
    const entry = found.node.operations.get(method === 'HEAD' ? 'GET' : method);
    if (!entry) {
      const methods = [...found.node.operations.keys()];
      return { allow: methods.includes('GET') ? [...methods, 'HEAD'] : methods };
    }
    const params: Record<string, string> = {};
    for (const [index, name] of entry.names.entries()) {
      const decoded = decode(found.values[index] ?? '');
      if (decoded === undefined) return undefined;
      params[name] = decoded;
    }
    return { operation: entry.operation, params };
  };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
