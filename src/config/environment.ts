import { z } from 'zod';

/** What one process may do. A process takes all of them unless `CAUSEWAY_ROLES` names some. */
export const ROLES = ['api', 'messaging', 'sms', 'webhooks'] as const;
export type Role = (typeof ROLES)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the printed page says beside the sentence. */
export interface OptionFacts {
  /** The unit or form of the value. */
  unit: string;
  /** Smallest and largest value, or the values that there are. */
  bound: string;
  /** Says what the default is where another option or the environment decides it. */
  defaultText?: string;
  /** The value may hold a password: never repeated in an error. */
  secret?: true;
}

/** The fix that an error names when the value breaks the option's bound. */
const bad = (must: string, fix: string) => ({ error: `${must}; fix: ${fix}` });

const host = () =>
  z
    .string()
    .max(253)
    .regex(
      /^[A-Za-z0-9._:-]+$/,
      bad('must be a host name or an IP address', 'write one without a scheme and port, 127.0.0.1 for instance'),
    );

const port = () =>
  z
    .string()
    .regex(/^[0-9]{1,5}$/, bad('must be a whole number from 0 to 65535', 'choose a free TCP port; 0 takes any free one'))
    .transform(Number)
    .refine((value) => value <= 65_535, bad('must be a whole number from 0 to 65535', 'choose a free TCP port; 0 takes any free one'));

/** `URL.parse` of newer Node versions. */
const urlIn = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);

/** Scheme, host and port only, as browsers compare them. */
const isOrigin = (text: string): boolean => {
  const url = urlIn(text);
  return url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.origin === text.replace(/\/$/, '');
};

const origin = () =>
  z
    .string()
    .max(2_000)
    .refine(
      isOrigin,
      bad('must be an http or https origin without path', 'write scheme, host and port only, https://gateway.example for instance'),
    )
    .transform((text) => text.replace(/\/$/, ''))
    .optional();

const urlOf = (protocols: readonly string[], example: string) =>
  z
    .string()
    .max(2_000)
    .refine(
      (text) => protocols.includes(urlIn(text)?.protocol ?? ''),
      bad(`must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`, `write it as ${example}`),
    )
    .optional();

const folder = () => z.string().min(1).max(4_096);

const roles = () =>
  z
    .string()
    .transform((text) => text.split(',').map((role) => role.trim()))
    .pipe(
      z
        .array(z.enum(ROLES, bad(`must list only ${ROLES.join(', ')}`, 'correct the name, or leave the variable out to take every role')))
        .refine((list) => new Set(list).size === list.length, bad('names a role twice', 'name each role once')),
    );

const facts = (description: string, rest: OptionFacts) => ({ description, ...rest });
const ORIGIN_DEFAULT = 'CAUSEWAY_PUBLIC_URL in the sandbox; none in production';
const ORIGIN_BOUND = 'an origin; in production https, and a different one for each class';

/** Every option of the process: the variable's name, its default, unit, bound, and a sentence. */
export const environmentSchema = z.strictObject({
  CAUSEWAY_ENV: z
    .enum(['sandbox', 'production'], bad('must be sandbox or production', 'choose one, or leave the variable out for the sandbox'))
    .default('sandbox')
    .meta(
      facts('Whether real subscribers are served. The sandbox makes its own demo credentials; production refuses every sandbox shortcut.', {
        unit: 'name',
        bound: 'sandbox, production',
      }),
    ),
  CAUSEWAY_HTTP_HOST: host()
    .default('127.0.0.1')
    .meta(facts('The address that the public listener binds to.', { unit: 'host', bound: 'up to 253 characters' })),
  CAUSEWAY_HTTP_PORT: port()
    .default(8080)
    .meta(
      facts('The port of the public listener: partner API, messaging API and its stream.', {
        unit: 'TCP port',
        bound: '0 to 65535; 0 takes a free one',
      }),
    ),
  CAUSEWAY_OPS_HOST: host()
    .default('127.0.0.1')
    .meta(
      facts('The address that the operations listener binds to; keep it off public networks.', {
        unit: 'host',
        bound: 'up to 253 characters',
      }),
    ),
  CAUSEWAY_OPS_PORT: port()
    .default(9090)
    .meta(
      facts('The port of the operations listener: /livez, /readyz and /metrics.', {
        unit: 'TCP port',
        bound: '0 to 65535; 0 takes a free one',
      }),
    ),
  CAUSEWAY_PUBLIC_URL: origin().meta(
    facts('The origin that partners and apps see. It is the token issuer, and links in answers begin with it.', {
      unit: 'origin',
      bound: 'an origin; https in production',
      defaultText: 'http://127.0.0.1:<CAUSEWAY_HTTP_PORT> in the sandbox; none in production',
    }),
  ),
  CAUSEWAY_ORIGIN_TEXT: origin().meta(
    facts('The origin that serves the traffic class messaging-text; traffic lists are made from it.', {
      unit: 'origin',
      bound: ORIGIN_BOUND,
      defaultText: ORIGIN_DEFAULT,
    }),
  ),
  CAUSEWAY_ORIGIN_MEDIA: origin().meta(
    facts('The origin that serves the traffic class messaging-media; traffic lists are made from it.', {
      unit: 'origin',
      bound: ORIGIN_BOUND,
      defaultText: ORIGIN_DEFAULT,
    }),
  ),
  CAUSEWAY_ORIGIN_CALLS: origin().meta(
    facts('The origin that serves calls (the traffic class voip); traffic lists are made from it.', {
      unit: 'origin',
      bound: ORIGIN_BOUND,
      defaultText: ORIGIN_DEFAULT,
    }),
  ),
  CAUSEWAY_DATA_DIR: folder()
    .default('./data')
    .meta(
      facts('The folder of the SQLite files and of the sandbox credentials. It is created when absent.', {
        unit: 'path',
        bound: 'a writable folder',
      }),
    ),
  CAUSEWAY_KEYS_DIR: folder()
    .default('./keys')
    .meta(
      facts('The folder of the master key that wraps signing keys, webhook secrets and the opener ring. Back it up apart from the data.', {
        unit: 'path',
        bound: 'a folder; in the sandbox it is created when absent',
      }),
    ),
  CAUSEWAY_DATABASE_URL: urlOf(['postgresql:', 'postgres:'], 'postgresql://user:password@host:5432/causeway').meta(
    facts('PostgreSQL, in place of the SQLite files in CAUSEWAY_DATA_DIR.', {
      unit: 'URL',
      bound: 'postgresql:// or postgres://; no default password in production',
      defaultText: 'none: SQLite',
      secret: true,
    }),
  ),
  CAUSEWAY_NATS_URL: urlOf(['nats:', 'tls:'], 'nats://host:4222').meta(
    facts('NATS, in place of the bus inside the process.', {
      unit: 'URL',
      bound: 'nats:// or tls://',
      defaultText: 'none: inside the process',
      secret: true,
    }),
  ),
  CAUSEWAY_PARTNERS_DIR: folder()
    .default('./partners')
    .meta(facts('The folder with one folder for each operator, and the market policies.', { unit: 'path', bound: 'a readable folder' })),
  CAUSEWAY_LOG_LEVEL: z
    .enum(LOG_LEVELS, bad(`must be one of ${LOG_LEVELS.join(', ')}`, 'choose one, or leave the variable out'))
    .optional()
    .meta(
      facts(
        'The least severe log line that is written to standard output, one JSON object a line. At info each request is a line: set it in the sandbox to watch them.',
        { unit: 'name', bound: LOG_LEVELS.join(', '), defaultText: 'warn in the sandbox; info in production' },
      ),
    ),
  CAUSEWAY_SMPP_LISTEN_HOST: host()
    .default('127.0.0.1')
    .meta(facts("The address of our own SMPP listener, which operators' ESMEs bind to.", { unit: 'host', bound: 'up to 253 characters' })),
  CAUSEWAY_SMPP_LISTEN_PORT: port()
    .default(2776)
    .meta(
      facts("The port of our own SMPP listener, which operators' ESMEs bind to.", {
        unit: 'TCP port',
        bound: '0 to 65535; 0 takes a free one',
      }),
    ),
  CAUSEWAY_ROLES: roles()
    .default([...ROLES])
    .meta(
      facts('What this process does: serve the partner API, serve the messaging engine, run the SMS bridge, deliver webhooks.', {
        unit: 'names, comma between',
        bound: ROLES.join(', '),
        defaultText: ROLES.join(','),
      }),
    ),
});

export type Environment = z.output<typeof environmentSchema>;
export type OptionName = keyof Environment;
