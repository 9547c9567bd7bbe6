import { ConfigurationError } from './configuration-error.js';
import { crossProblems } from './cross-problems.js';
import { type Environment, environmentSchema, type LogLevel, type OptionFacts, type OptionName, type Role } from './environment.js';
import type { UsableOptions } from './machine-problems.js';

/** The process's options, checked, with every default filled in. Paths are as given: relative ones start at the working folder. */
export interface GatewayConfig {
  readonly env: 'sandbox' | 'production';
  readonly httpHost: string;
  /** 0: a free port is taken; see `configAtPort`. */
  readonly httpPort: number;
  readonly opsHost: string;
  readonly opsPort: number;
  /** Scheme, host and port, without a slash at the end. */
  readonly publicUrl: string;
  readonly originText: string;
  readonly originMedia: string;
  readonly originCalls: string;
  readonly dataDir: string;
  readonly keysDir: string;
  /** undefined: SQLite in `dataDir`. It holds a password: never log it. */
  readonly databaseUrl: string | undefined;
  /** undefined: the bus inside the process. It may hold a password: never log it. */
  readonly natsUrl: string | undefined;
  readonly partnersDir: string;
  readonly logLevel: LogLevel;
  readonly smppListenHost: string;
  readonly smppListenPort: number;
  readonly roles: readonly Role[];
  /** Which of the addresses were left to their default, so that they follow the port. */
  readonly followsPort: readonly ('publicUrl' | 'originText' | 'originMedia' | 'originCalls')[];
}

const PREFIX = 'CAUSEWAY_';

/** They belong to the demo, to the test suite and to CI; the gateway does not read them. */
const OF_THE_TOOLS: ReadonlySet<string> = new Set(['CAUSEWAY_URL', 'CAUSEWAY_REQUIRE', 'CAUSEWAY_TEST_DATABASE_URL']);

export const optionNames = Object.keys(environmentSchema.shape) as OptionName[];

export function factsOf(name: OptionName): OptionFacts & { description: string } {
  return environmentSchema.shape[name].meta() as unknown as OptionFacts & { description: string };
}

/**
 * Reads every `CAUSEWAY_*` variable (DESIGN section 8; docs/configuration.md). A variable set to the empty string counts as
 * not set; names without the prefix are not looked at.
 *
 * @throws ConfigurationError with all `problems` at once: unknown names, values out of bounds, and in production whatever
 *   the sandbox alone allows. A secret's value is never repeated.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const { options, problems } = readOptions(env);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return toConfig(options as Environment);
}

/** What `readConfig` reads, without a throw: each problem, and the options that are well formed. */
export function readOptions(env: Readonly<Record<string, string | undefined>>): { options: UsableOptions; problems: string[] } {
  const given: Record<string, string> = {};
  const problems: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || OF_THE_TOOLS.has(name) || value === undefined || value === '') continue;
    if (name in environmentSchema.shape) given[name] = value;
    else problems.push(unknownName(name));
  }

  const parsed: Record<string, unknown> = {};
  for (const name of optionNames) {
    const result = environmentSchema.shape[name].safeParse(given[name]);
    if (result.success) parsed[name] = result.data;
    else problems.push(`${name}${shown(name, given[name])} ${result.error.issues[0]?.message ?? 'is not valid'}.`);
  }
  const options = parsed as UsableOptions;
  problems.push(...crossProblems(options, given));
  return { options, problems };
}

/** The same configuration once the port is known: the addresses that were left to their default name it. */
export function configAtPort(config: GatewayConfig, httpPort: number): GatewayConfig {
  const address = `http://127.0.0.1:${httpPort}`;
  const moved: Partial<Record<GatewayConfig['followsPort'][number], string>> = {};
  for (const key of config.followsPort) moved[key] = address;
  return Object.freeze({ ...config, ...moved, httpPort });
}

function toConfig(environment: Environment): GatewayConfig {
  const own = environment.CAUSEWAY_PUBLIC_URL;
  const publicUrl = own ?? `http://127.0.0.1:${environment.CAUSEWAY_HTTP_PORT}`;
  const origins = {
    originText: environment.CAUSEWAY_ORIGIN_TEXT,
    originMedia: environment.CAUSEWAY_ORIGIN_MEDIA,
    originCalls: environment.CAUSEWAY_ORIGIN_CALLS,
  };
  const followsPort = (['publicUrl', 'originText', 'originMedia', 'originCalls'] as const).filter(
    (key) => own === undefined && (key === 'publicUrl' || origins[key] === undefined),
  );
  return Object.freeze({
    env: environment.CAUSEWAY_ENV,
    httpHost: environment.CAUSEWAY_HTTP_HOST,
    httpPort: environment.CAUSEWAY_HTTP_PORT,
    opsHost: environment.CAUSEWAY_OPS_HOST,
    opsPort: environment.CAUSEWAY_OPS_PORT,
    publicUrl,
    originText: origins.originText ?? publicUrl,
    originMedia: origins.originMedia ?? publicUrl,
    originCalls: origins.originCalls ?? publicUrl,
    dataDir: environment.CAUSEWAY_DATA_DIR,
    keysDir: environment.CAUSEWAY_KEYS_DIR,
    databaseUrl: environment.CAUSEWAY_DATABASE_URL,
    natsUrl: environment.CAUSEWAY_NATS_URL,
    partnersDir: environment.CAUSEWAY_PARTNERS_DIR,
    logLevel: environment.CAUSEWAY_LOG_LEVEL ?? (environment.CAUSEWAY_ENV === 'sandbox' ? 'warn' : 'info'),
    smppListenHost: environment.CAUSEWAY_SMPP_LISTEN_HOST,
    smppListenPort: environment.CAUSEWAY_SMPP_LISTEN_PORT,
    roles: Object.freeze([...environment.CAUSEWAY_ROLES]),
    followsPort: Object.freeze(followsPort),
  });
}

function shown(name: OptionName, value: string | undefined): string {
  if (value === undefined || factsOf(name).secret === true) return '';
  return ` is ${JSON.stringify(value.slice(0, 80))}: it`;
}

function unknownName(name: string): string {
  const near = optionNames.find(
    (known) => known.replaceAll('_', '') === name.replaceAll('_', '') || known.startsWith(name) || name.startsWith(known),
  );
  const hint = near === undefined ? 'remove it; docs/configuration.md lists every option' : `did you mean ${near}?`;
  return `${name} is not an option of Causeway; fix: ${hint}${hint.endsWith('?') ? '' : '.'}`;
}
