import { ConfigurationError, folderProblems, isDefaultPassword, portProblems, readOptions } from '../config/index.js';
import { loadPartners, type PartnerRegistry } from '../partners/index.js';

/**
 * Everything that keeps the gateway from starting, told at once so that nobody mends one thing a start: variables,
 * folders and ports, and with them what is wrong in `partners/`. In production it also looks at the passwords behind the
 * references of `partners/`, which only the process can see.
 *
 * @returns one sentence each; none when all is well (in the sandbox partners are then read by the build).
 */
export async function startProblems(env: Readonly<Record<string, string | undefined>>): Promise<string[]> {
  const { options, problems } = readOptions(env);
  problems.push(...folderProblems(options), ...(await portProblems(options)));
  if (options.CAUSEWAY_PARTNERS_DIR === undefined) return problems;
  if (problems.length === 0 && options.CAUSEWAY_ENV !== 'production') return problems;
  return [...problems, ...(await partnerProblems(options.CAUSEWAY_PARTNERS_DIR, env))];
}

async function partnerProblems(folder: string, env: Readonly<Record<string, string | undefined>>): Promise<readonly string[]> {
  try {
    const registry = await loadPartners(folder, env);
    return env['CAUSEWAY_ENV'] === 'production' ? defaultPasswords(registry) : [];
  } catch (failure) {
    if (failure instanceof ConfigurationError) return failure.problems;
    throw failure;
  }
}

/** A reference may lead to the password that every example has. */
function defaultPasswords(partners: PartnerRegistry): string[] {
  return partners
    .all()
    .flatMap(({ id, smpp }) => [
      ...smpp.links.filter(({ password }) => isDefaultPassword(password.reveal())).map((link) => refused(id, `the link ${link.id}`)),
      ...smpp.listeners
        .filter(({ password }) => isDefaultPassword(password.reveal()))
        .map((account) => refused(id, `the account ${account.systemId}`)),
    ]);
}

const refused = (partnerId: string, whose: string): string =>
  `${partnerId}/partner.yaml: the password of ${whose} is a default one; fix: agree one of its own with the operator, and set the variable or file that the reference names.`;
