import { expect, test } from 'vitest';
import { ConfigurationError, configAtPort, readConfig } from '../../src/config/index.js';

const production = {
  CAUSEWAY_ENV: 'production',
  CAUSEWAY_PUBLIC_URL: 'https://gateway.example',
  CAUSEWAY_ORIGIN_TEXT: 'https://text.gateway.example',
  CAUSEWAY_ORIGIN_MEDIA: 'https://media.gateway.example',
  CAUSEWAY_ORIGIN_CALLS: 'https://calls.gateway.example',
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

test('nothing set is the sandbox on loopback, with every default', () => {
  expect(readConfig({ PATH: '/bin' })).toEqual({
    env: 'sandbox',
    httpHost: '127.0.0.1',
    httpPort: 8080,
    opsHost: '127.0.0.1',
    opsPort: 9090,
    publicUrl: 'http://127.0.0.1:8080',
    originText: 'http://127.0.0.1:8080',
    originMedia: 'http://127.0.0.1:8080',
    originCalls: 'http://127.0.0.1:8080',
    dataDir: './data',
    keysDir: './keys',
    databaseUrl: undefined,
    natsUrl: undefined,
    partnersDir: './partners',
    logLevel: 'warn',
    smppListenHost: '127.0.0.1',
    smppListenPort: 2776,
    roles: ['api', 'messaging', 'sms', 'webhooks'],
    followsPort: ['publicUrl', 'originText', 'originMedia', 'originCalls'],
  });
});

test('the configuration cannot be changed afterwards', () => {
  const config = readConfig({});
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.roles)).toBe(true);
});

test('the public address follows the port, and the origins follow the public address', () => {
  expect(readConfig({ CAUSEWAY_HTTP_PORT: '18080' })).toMatchObject({
    publicUrl: 'http://127.0.0.1:18080',
    originMedia: 'http://127.0.0.1:18080',
  });
  expect(readConfig({ CAUSEWAY_PUBLIC_URL: 'http://127.0.0.1:7000/' })).toMatchObject({
    publicUrl: 'http://127.0.0.1:7000',
    originText: 'http://127.0.0.1:7000',
  });
});

test('a port that was free to choose moves only the addresses that were left to their default', () => {
  const config = readConfig({ CAUSEWAY_HTTP_PORT: '0', CAUSEWAY_ORIGIN_MEDIA: 'http://127.0.0.1:1' });
  expect(configAtPort(config, 4321)).toMatchObject({
    httpPort: 4321,
    publicUrl: 'http://127.0.0.1:4321',
    originText: 'http://127.0.0.1:4321',
    originMedia: 'http://127.0.0.1:1',
  });
  expect(configAtPort(readConfig({ CAUSEWAY_PUBLIC_URL: 'http://127.0.0.1:7000' }), 4321).publicUrl).toBe('http://127.0.0.1:7000');
});

test('every problem is told at once, each with the name of its variable and the fix', () => {
  const problems = problemsOf({
    CAUSEWAY_ENV: 'prod',
    CAUSEWAY_HTTP_PORT: '99999',
    CAUSEWAY_OPS_PORT: '0x10',
    CAUSEWAY_PUBLIC_URL: 'https://gateway.example/path',
    CAUSEWAY_LOG_LEVEL: 'loud',
    CAUSEWAY_DATABASE_URL: 'mysql://root:hunter2@db/causeway',
    CAUSEWAY_ROLES: 'api,cook',
    CAUSEWAY_HTTPPORT: '1',
    CAUSEWAY_COLOUR: 'red',
  });
  const names = problems.map((problem) => problem.split(' ')[0]);
  expect(names).toHaveLength(9);
  expect(new Set(names)).toEqual(
    new Set([
      'CAUSEWAY_COLOUR',
      'CAUSEWAY_DATABASE_URL',
      'CAUSEWAY_ENV',
      'CAUSEWAY_HTTPPORT',
      'CAUSEWAY_HTTP_PORT',
      'CAUSEWAY_LOG_LEVEL',
      'CAUSEWAY_OPS_PORT',
      'CAUSEWAY_PUBLIC_URL',
      'CAUSEWAY_ROLES',
    ]),
  );
  for (const problem of problems) expect(problem).toMatch(/; fix: .+[.?]$/);
  expect(problems).toContain('CAUSEWAY_HTTPPORT is not an option of Causeway; fix: did you mean CAUSEWAY_HTTP_PORT?');
  expect(problems.find((problem) => problem.startsWith('CAUSEWAY_ENV'))).toBe(
    'CAUSEWAY_ENV is "prod": it must be sandbox or production; fix: choose one, or leave the variable out for the sandbox.',
  );
});

test('a value that may hold a password is never repeated', () => {
  const text = problemsOf({ CAUSEWAY_DATABASE_URL: 'mysql://root:hunter2@db/x', CAUSEWAY_NATS_URL: 'http://u:hunter2@n' }).join('\n');
  expect(text).toContain('CAUSEWAY_DATABASE_URL');
  expect(text).toContain('CAUSEWAY_NATS_URL');
  expect(text).not.toContain('hunter2');
});

test('the variables of the demo and of the test suite, other names and empty ones are let be', () => {
  expect(
    problemsOf({ CAUSEWAY_URL: 'x', CAUSEWAY_REQUIRE: 'nats', CAUSEWAY_TEST_DATABASE_URL: 'x', CAUSEWAY_NATS_URL: '', HOME: '/' }),
  ).toEqual([]);
});

test('two listeners on one port are refused, unless any free port will do', () => {
  expect(problemsOf({ CAUSEWAY_HTTP_PORT: '9090' })).toEqual([
    'CAUSEWAY_OPS_PORT is 9090, as CAUSEWAY_HTTP_PORT is; fix: give each listener a port of its own.',
  ]);
  expect(problemsOf({ CAUSEWAY_HTTP_PORT: '0', CAUSEWAY_OPS_PORT: '0', CAUSEWAY_SMPP_LISTEN_PORT: '0' })).toEqual([]);
});

test('roles may be narrowed, and a role named twice is refused', () => {
  expect(readConfig({ CAUSEWAY_ROLES: 'sms, webhooks' }).roles).toEqual(['sms', 'webhooks']);
  expect(problemsOf({ CAUSEWAY_ROLES: 'sms,sms' })).toHaveLength(1);
});

test('production with its own https origins is accepted', () => {
  expect(readConfig({ ...production, CAUSEWAY_DATABASE_URL: 'postgresql://gw:lk3-90x@db/causeway' }).env).toBe('production');
});

test('production has no default address', () => {
  expect(problemsOf({ CAUSEWAY_ENV: 'production' }).map((problem) => problem.split(' ')[0])).toEqual([
    'CAUSEWAY_PUBLIC_URL',
    'CAUSEWAY_ORIGIN_TEXT',
    'CAUSEWAY_ORIGIN_MEDIA',
    'CAUSEWAY_ORIGIN_CALLS',
  ]);
});

test.each([
  ['an address without TLS', { CAUSEWAY_PUBLIC_URL: 'http://gateway.example' }, 'not https'],
  ['a loopback address', { CAUSEWAY_ORIGIN_TEXT: 'https://127.0.0.1:8443' }, 'names this machine'],
  ['two classes on one origin', { CAUSEWAY_ORIGIN_MEDIA: 'https://text.gateway.example' }, 'same origin as CAUSEWAY_ORIGIN_TEXT'],
  ['a default database password', { CAUSEWAY_DATABASE_URL: 'postgresql://postgres:Postgres@db/causeway' }, 'a default one'],
  ['no database password', { CAUSEWAY_DATABASE_URL: 'postgresql://gw@db/causeway' }, 'no password'],
])('production refuses %s', (_name, change, said) => {
  const problems = problemsOf({ ...production, ...change });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(said);
});
