export { openSandboxSmsc } from './open-sandbox-smsc.js';
export { PERSONALITIES } from './receipts.js';
export { rewriteStateFile } from './state-file.js';
export type * from './types.js';
