import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSpecObject, parseContract } from '../../src/http/contract.js';
import { explainBody } from '../../src/http/explain-body.js';
import { parseStrictJson } from '../../src/http/strict-json.js';
import { createAnswerCheck } from '../contract/answers.js';
import { startTestEdge } from '../fakes/gateway.js';

const CONTRACT = `
openapi: 3.0.3
info: { title: test, version: '1' }
paths:
  /things:
    post:
      operationId: createThing
      security: []
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/components/schemas/Request' } } }
      responses:
        '200':
          description: ok
          headers: { x-correlator: { required: true, schema: { type: string } } }
          content: { application/json: { schema: { $ref: '#/components/schemas/Answer' } } }
        '400':
          description: bad
          content: { application/problem+json: { schema: { type: object, additionalProperties: true } } }
components:
  schemas:
    Request:
      type: object
      additionalProperties: false
      required: [changes]
      properties:
        changes: { type: array, maxItems: 3, items: { $ref: '#/components/schemas/Change' } }
    Change:
      oneOf: [{ $ref: '#/components/schemas/Suspend' }, { $ref: '#/components/schemas/Swap' }]
      discriminator: { propertyName: type, mapping: { suspend: '#/components/schemas/Suspend', simSwap: '#/components/schemas/Swap' } }
    Suspend:
      type: object
      additionalProperties: false
      required: [type, reason]
      properties: { type: { type: string, enum: [suspend] }, reason: { type: string, maxLength: 10 } }
    Swap:
      type: object
      additionalProperties: false
      required: [type, iccid]
      properties: { type: { type: string, enum: [simSwap] }, iccid: { type: string, pattern: '^89' }, note: { type: string, nullable: true } }
    Base: { type: object, required: [id], properties: { id: { type: string } } }
    Answer:
      allOf: [{ $ref: '#/components/schemas/Base' }]
      properties: { size: { type: integer, nullable: true }, inner: { $ref: '#/components/schemas/Base' } }
`;

describe('where the contract has a choice, the branch that the body names is explained', () => {
  test.each([
    [{ type: 'suspend' }, ['/changes/0/reason']],
    [{ type: 'suspend', reason: 'much too long' }, ['/changes/0/reason']],
    [{ type: 'suspend', reason: 'x', iccid: '89' }, ['/changes/0/iccid']],
    [{ type: 'simSwap', iccid: '11' }, ['/changes/0/iccid']],
    [{ type: 'simSwap', iccid: 7, note: null }, ['/changes/0/iccid']],
    [{ type: 'other' }, ['/changes/0/type']],
    [{}, ['/changes/0/type']],
    ['text', ['/changes/0']],
  ])('%j', async (change, pointers) => {
    const edge = await startTestEdge({
      contract: CONTRACT,
      routes: { public: { createThing: { handle: async () => ({ status: 200, body: { id: 'x' } }) } } },
    });
    try {
      const answer = await edge.api.call('POST', '/things', { body: { changes: [change] } });
      expect(answer.status).toBe(400);
      expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual(pointers);
      expect((await edge.api.call('POST', '/things', { body: { changes: [{ type: 'suspend', reason: 'x' }] } })).status).toBe(200);
    } finally {
      await edge.close();
    }
  });

  test('nothing makes it throw, and it never names more than fifty faults', () => {
    const contract = parseContract(CONTRACT);
    const schema = contract.operations[0]?.bodySchema;
    if (!isSpecObject(schema)) throw new Error('the test contract has a body');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(explainBody(schema, value, contract.resolve).length).toBeLessThanOrEqual(50);
        expect(explainBody(schema, { changes: value }, contract.resolve).length).toBeLessThanOrEqual(50);
      }),
    );
  });
});

test('strict JSON reads whatever JSON.stringify writes, and refuses a member named twice at any depth', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => {
      const text = JSON.stringify(value);
      expect(parseStrictJson(Buffer.from(text))).toEqual(JSON.parse(text));
      const twice = `{"deep":[1,{"a\\"b":${text},"a\\u0022b":${text}}]}`;
      expect(() => parseStrictJson(Buffer.from(twice))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }),
  );
});

describe('the check of answers', () => {
  const check = createAnswerCheck(parseContract(CONTRACT));
  const answer = (body: unknown, given: { status?: number; headers?: Record<string, string> } = {}) =>
    check({
      method: 'POST',
      path: '/things',
      status: given.status ?? 200,
      headers: new Headers({ 'x-correlator': 'c', 'content-type': 'application/json', ...given.headers }),
      bytes: Buffer.from(JSON.stringify(body)),
    });

  test('passes what is declared', () => {
    expect(() => answer({ id: 'x', size: null, inner: { id: 'y' } })).not.toThrow();
  });

  test.each([
    ['a member that is not declared', { id: 'x', surprise: 1 }, {}],
    ['one further in', { id: 'x', inner: { id: 'y', surprise: 1 } }, {}],
    ['a member that is missing', { size: 1 }, {}],
    ['another type', { id: 1 }, {}],
    ['an undeclared status', { id: 'x' }, { status: 201 }],
    ['another media type', { id: 'x' }, { headers: { 'content-type': 'text/plain' } }],
  ])('fails for %s', (_name, body, given) => {
    expect(() => answer(body, given)).toThrow(/not what openapi.yaml says/);
  });
});
