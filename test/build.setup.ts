import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Worker threads and whole-process tests run the compiled program: make sure that it is this source's. */
export function setup(): void {
  const result = spawnSync(process.execPath, [fileURLToPath(new URL('../tools/build.mjs', import.meta.url))], { stdio: 'inherit' });
  if (result.status !== 0) throw new Error('the build failed; see above');
}
