import type { Environment, OptionName } from './environment.js';

/** Passwords that examples and container images come with; production refuses them. */
const DEFAULT_PASSWORDS: ReadonlySet<string> = new Set([
  '',
  'postgres',
  'password',
  'causeway',
  'sandbox',
  'secret',
  'changeme',
  'admin',
  'root',
  'test',
]);

export const isDefaultPassword = (password: string): boolean => DEFAULT_PASSWORDS.has(password.toLowerCase());

const ORIGINS = ['CAUSEWAY_ORIGIN_TEXT', 'CAUSEWAY_ORIGIN_MEDIA', 'CAUSEWAY_ORIGIN_CALLS'] as const;
const PORTS = ['CAUSEWAY_HTTP_PORT', 'CAUSEWAY_OPS_PORT', 'CAUSEWAY_SMPP_LISTEN_PORT'] as const;

/**
 * What no single option shows: ports that collide, and the rules of production (DESIGN section 8, last line) as far as the
 * variables tell. An option that was not valid by itself is absent from `environment` and is not judged again.
 *
 * @param given the variables that were set, to tell "absent" from "not valid".
 */
export function crossProblems(environment: Partial<Environment>, given: Readonly<Record<string, string>>): string[] {
  return [...portProblems(environment), ...(environment.CAUSEWAY_ENV === 'production' ? productionProblems(environment, given) : [])];
}

function portProblems(environment: Partial<Environment>): string[] {
  const problems: string[] = [];
  const taken = new Map<number, OptionName>();
  for (const name of PORTS) {
    const port = environment[name];
    if (port === undefined || port === 0) continue;
    const other = taken.get(port);
    if (other !== undefined) problems.push(`${name} is ${port}, as ${other} is; fix: give each listener a port of its own.`);
    taken.set(port, name);
  }
  return problems;
}

function productionProblems(environment: Partial<Environment>, given: Readonly<Record<string, string>>): string[] {
  const problems: string[] = [];
  const addresses = new Map<string, OptionName>();
  for (const name of ['CAUSEWAY_PUBLIC_URL', ...ORIGINS] as const) {
    const address = environment[name];
    if (address === undefined) {
      if (given[name] === undefined) problems.push(`${name} is not set; fix: production has no default for it, set an https origin.`);
      continue;
    }
    if (!address.startsWith('https://')) problems.push(`${name} is not https; fix: production serves TLS only, set an https origin.`);
    else if (isLoopback(address)) problems.push(`${name} names this machine; fix: set the origin that partners and phones reach.`);
    const other = addresses.get(address);
    if (name !== 'CAUSEWAY_PUBLIC_URL') {
      if (other !== undefined) {
        problems.push(
          `${name} is the same origin as ${other}; fix: give each traffic class its own, since an operator tells classes apart by name, address and port only.`,
        );
      }
      addresses.set(address, name);
    }
  }
  const database = environment.CAUSEWAY_DATABASE_URL;
  if (database !== undefined && DEFAULT_PASSWORDS.has(decodedPassword(database))) {
    problems.push('CAUSEWAY_DATABASE_URL has no password or a default one; fix: give the database user a password of its own.');
  }
  return problems;
}

function isLoopback(address: string): boolean {
  const host = new URL(address).hostname;
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host.startsWith('127.') ||
    host === '[::1]' ||
    host === '0.0.0.0' ||
    host === '[::]'
  );
}

function decodedPassword(url: string): string {
  const { password } = new URL(url);
  try {
    return decodeURIComponent(password).toLowerCase();
  } catch {
    return password;
  }
}
