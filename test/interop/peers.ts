import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Debian's `kannel`, `kannel-extras` and `libnet-smpp-perl`: SMPP as others have written it. */
const KANNEL = ['/usr/sbin/bearerbox', '/usr/sbin/smsbox'];
const isRequired = (process.env['CAUSEWAY_REQUIRE'] ?? '').split(',').includes('kannel');

function missing(): string[] {
  const programs = KANNEL.filter((file) => !existsSync(file));
  const hasNetSmpp = spawnSync('perl', ['-MNet::SMPP', '-e', '1']).status === 0;
  return [...(programs.length > 0 ? [`no Kannel at ${KANNEL[0]}`] : []), ...(hasNetSmpp ? [] : ['no Net::SMPP for Perl'])];
}

/**
 * Why the tests against other people's SMPP are not run here, or undefined when they are. With CAUSEWAY_REQUIRE naming
 * kannel they always are, and meet what is missing themselves.
 */
export const skipReason = isRequired || missing().length === 0 ? undefined : `skipped: ${missing().join(', ')}`;
if (skipReason) process.stderr.write(`${skipReason}\n`);

/** How long something may take on a loaded machine before the test says that it did not happen. */
const GIVE_UP_MS = 60_000;
const LOOK_EVERY_MS = 25;

/** Other programs live in real time: looks again and again until it is so. @param why told when it never was. */
export async function until(what: () => boolean | Promise<boolean>, why: () => string = () => ''): Promise<void> {
  for (const end = performance.now() + GIVE_UP_MS; performance.now() < end; ) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`it did not happen\n${why()}`);
}
