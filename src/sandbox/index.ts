/** The simulated SMSC's memory, in the data folder. */
export const SMSC_FILE = 'sandbox-smsc.jsonl';
export {
  CREDENTIALS_FILE,
  ensureCredentials,
  type PartnerCredentials,
  type PartnerCredentialsRequest,
  readCredentials,
  type SandboxCredentials,
} from './credentials.js';
export { createHandset, type Handset } from './handset.js';
export { behaviourOf, dialable, magicNumbers } from './magic-numbers.js';
export { startSandboxNetwork } from './network.js';
export { createSandboxNumberVerification, type SandboxNumberVerification } from './number-verification.js';
export { openSharedSmsc, type SharedSmsc } from './shared-smsc.js';
export { openSandboxSmsc, rewriteStateFile, type SandboxSmsc, type SmscAccount } from './smsc/index.js';
export { createTestClock, type TestClock } from './test-clock.js';
