import { checkPartners } from '../partners/index.js';

/** What `causeway partner lint` exits with when something is not valid. */
const EXIT_INVALID = 3;

/**
 * `causeway partner lint [directory]`: prints `ok: 3 partners, 7 markets`, or every problem of every file, one a line.
 *
 * @param env where references in the files are looked up. @param write takes whole lines, each with its line break.
 * @returns the exit code: 0, or 3 when something is not valid.
 */
export async function lintPartners(
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
  write: (text: string) => void,
): Promise<number> {
  const { problems, registry } = await checkPartners(directory, env);
  if (registry === undefined) {
    for (const problem of problems) write(`${problem}\n`);
    write(`${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n`);
    return EXIT_INVALID;
  }
  const partners = registry.all();
  const markets = new Set(partners.flatMap((partner) => partner.markets.map(({ code }) => code)));
  write(`ok: ${counted(partners.length, 'partner')}, ${counted(markets.size, 'market')}\n`);
  return 0;
}

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
