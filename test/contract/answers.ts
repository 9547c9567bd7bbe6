import { Ajv2019, type ValidateFunction } from 'ajv/dist/2019.js';
import addFormatsModule from 'ajv-formats';
import { type Contract, isSpecObject, type SpecObject } from '../../src/http/contract.js';

/** One answer as it came over the wire. */
export interface WireAnswer {
  method: string;
  /** Without the query. */
  path: string;
  status: number;
  headers: Headers;
  bytes: Buffer;
}

/** Throws, naming every way in which the answer is not what the contract says. */
export type CheckAnswer = (answer: WireAnswer) => void;

/** Refusals of the edge itself, which any operation can meet and none declares. */
const EDGE_STATUSES = new Set([404, 405, 406]);

const addFormats = addFormatsModule as unknown as (ajv: Ajv2019) => void;

/**
 * Checks answers against the contract on their wire bytes: the status is declared, the media type is one of those
 * declared for it, declared headers have their form, the body fits its schema, and no object has a member that its
 * schema does not name (additive evolution keeps answers' schemas open; a test must still see what was not declared).
 */
export function createAnswerCheck(contract: Contract): CheckAnswer {
  const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: true });
  addFormats(ajv);
  for (const format of ['int32', 'int64', 'binary', 'byte', 'float', 'double', 'password']) ajv.addFormat(format, true);
  const schemas = objectAt(objectAt(contract.document['components'])['schemas']);
  const $defs: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    $defs[name] = convert(schema, false);
    $defs[`${name}.open`] = convert(schema, true);
  }
  ajv.addSchema({ $id: 'contract', $defs });
  const compiled = new Map<unknown, ValidateFunction>();
  const validatorOf = (schema: unknown): ValidateFunction => {
    const known = compiled.get(schema) ?? ajv.compile(objectAt(convert(schema, false)));
    compiled.set(schema, known);
    return known;
  };

  return ({ method, path, status, headers, bytes }) => {
    const faults: string[] = [];
    const found = contract.match(method, path);
    const operation = found && 'operation' in found ? found.operation : undefined;
    const node = operation && nodeOf(contract, operation.template, operation.method);
    const responses = objectAt(node?.['responses']);
    const declared = responses[String(status)] ?? responses['default'];
    if (!headers.get('x-correlator')) faults.push('the x-correlator header is missing');
    if (declared === undefined) {
      if (!EDGE_STATUSES.has(status)) faults.push(`the status ${status} is not declared`);
      else checkBody({ 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } });
    } else {
      const response = contract.resolve(declared);
      for (const [name, header] of Object.entries(objectAt(response['headers']))) checkHeader(name, contract.resolve(header));
      if (method !== 'HEAD') checkBody(objectAt(response['content']));
    }
    if (faults.length > 0) {
      const what = `${method} ${operation?.template ?? path} answered ${status}`;
      throw new Error(
        `${what}, which is not what openapi.yaml says:\n- ${faults.join('\n- ')}\nbody: ${bytes.toString('utf8').slice(0, 2_000)}`,
      );
    }

    function checkHeader(name: string, header: SpecObject): void {
      const text = headers.get(name);
      if (text === null) {
        if (header['required'] === true) faults.push(`the header ${name} is missing`);
        return;
      }
      const schema = contract.resolve(header['schema']);
      const value = schema['type'] === 'integer' ? Number(text) : schema['type'] === 'boolean' ? text === 'true' : text;
      const validate = validatorOf(header['schema']);
      if (!validate(value)) faults.push(`the header ${name}: ${ajv.errorsText(validate.errors)}`);
    }

    function checkBody(content: SpecObject): void {
      const types = Object.keys(content);
      if (types.length === 0) {
        if (bytes.length > 0) faults.push('there is a body, and none is declared');
        return;
      }
      const type = headers.get('content-type')?.split(';')[0]?.trim() ?? '';
      // Problems go out as application/json when that is all the client accepts.
      const key =
        type in content
          ? type
          : type === 'application/json' && 'application/problem+json' in content
            ? 'application/problem+json'
            : undefined;
      if (key === undefined) return void faults.push(`the media type ${type || '(none)'} is not declared; declared: ${types.join(', ')}`);
      const schema = objectAt(content[key])['schema'];
      if (schema === undefined) return;
      let value: unknown = bytes.toString('utf8');
      if (/[/+]json$/.test(type)) {
        try {
          value = JSON.parse(bytes.toString('utf8'));
        } catch {
          return void faults.push('the body is not JSON');
        }
      }
      const validate = validatorOf(schema);
      if (!validate(value)) {
        for (const error of validate.errors ?? []) {
          faults.push(`body${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`);
        }
      }
    }
  };
}

const objectAt = (node: unknown): SpecObject => (isSpecObject(node) ? node : {});

function nodeOf(contract: Contract, template: string, method: string): SpecObject {
  return objectAt(objectAt(objectAt(contract.document['paths'])[template])[method.toLowerCase()]);
}

/**
 * OpenAPI 3.0's dialect in JSON Schema 2019-09. An object is closed where it stands alone (`open` false), and left open
 * inside an allOf, oneOf or anyOf, whose whole is closed instead.
 */
function convert(node: unknown, open: boolean): unknown {
  if (Array.isArray(node)) return node.map((item) => convert(item, open));
  if (!isSpecObject(node)) return node;
  const reference = node['$ref'];
  if (typeof reference === 'string') {
    const name = reference.slice(reference.lastIndexOf('/') + 1);
    return { $ref: `contract#/$defs/${name}${open ? '.open' : ''}` };
  }
  const { nullable, discriminator: _d, example: _e, xml: _x, exclusiveMinimum, exclusiveMaximum, ...rest } = node;
  const schema: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(rest)) {
    if (keyword === 'allOf' || keyword === 'oneOf' || keyword === 'anyOf') schema[keyword] = convert(value, true);
    else if (keyword === 'items' || keyword === 'not' || keyword === 'additionalProperties') schema[keyword] = convert(value, false);
    else if (keyword === 'properties')
      schema[keyword] = Object.fromEntries(Object.entries(objectAt(value)).map(([n, s]) => [n, convert(s, false)]));
    else schema[keyword] = value;
  }
  if (exclusiveMinimum === true) [schema['exclusiveMinimum'], schema['minimum']] = [schema['minimum'], undefined];
  if (exclusiveMaximum === true) [schema['exclusiveMaximum'], schema['maximum']] = [schema['maximum'], undefined];
  for (const keyword of ['minimum', 'maximum']) if (schema[keyword] === undefined) delete schema[keyword];
  const composed = ['allOf', 'oneOf', 'anyOf'].some((keyword) => keyword in schema);
  if (!open && ('properties' in schema || composed) && schema['additionalProperties'] === undefined)
    schema['unevaluatedProperties'] = false;
  return nullable === true ? { anyOf: [schema, { type: 'null' }] } : schema;
}
