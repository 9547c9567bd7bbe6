import { ConfigurationError, folderProblems, portProblems, readOptions } from '../config/index.js';
import { loadPartners } from '../partners/index.js';

/**
 * Everything that keeps the gateway from starting, told at once so that nobody mends one thing a start: variables,
 * folders and ports, and with them what is wrong in `partners/`.
 *
 * @returns one sentence each; none when the variables, folders and ports are well (partners are then read by the build).
 */
export async function startProblems(env: Readonly<Record<string, string | undefined>>): Promise<string[]> {
  const { options, problems } = readOptions(env);
  problems.push(...folderProblems(options), ...(await portProblems(options)));
  if (problems.length === 0 || options.CAUSEWAY_PARTNERS_DIR === undefined) return problems;
  return [...problems, ...(await partnerProblems(options.CAUSEWAY_PARTNERS_DIR, env))];
}

async function partnerProblems(folder: string, env: Readonly<Record<string, string | undefined>>): Promise<readonly string[]> {
  try {
    await loadPartners(folder, env);
    return [];
  } catch (failure) {
    if (failure instanceof ConfigurationError) return failure.problems;
    throw failure;
  }
}
