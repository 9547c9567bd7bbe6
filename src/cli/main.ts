/** `npm run causeway -- <command>`: what people do beside running the service. Exit codes: 0 ok, 3 validation, 4 usage. */
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { lintPartners } from './partner-lint.js';

const shippedPartners = fileURLToPath(new URL('../../partners/', import.meta.url));

const program = new Command('causeway').description('Work with a Causeway gateway from the shell.').exitOverride();

const partner = program.command('partner').description('The operators and hubs in partners/.');
partner
  .command('lint')
  .description('Check every partner.yaml and the market policies; each problem names file, line and fix.')
  .argument('[folder]', 'the partners folder', process.env['CAUSEWAY_PARTNERS_DIR'] ?? shippedPartners)
  .action(async (folder: string) => {
    process.exitCode = await lintPartners(folder, process.env, (text) => process.stdout.write(text));
  });

try {
  await program.parseAsync();
} catch (failure) {
  const { exitCode } = failure as { exitCode?: number };
  if (exitCode === undefined) throw failure;
  process.exitCode = exitCode === 0 ? 0 : 4;
}
