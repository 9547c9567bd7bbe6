export { type FallbackBinding, HPKE_SUITE, type ReplyBinding } from './hpke.js';
export { type BridgeKey, bridgeKeysOf, type Opener, type OpenerOptions, openOpener, type SealedText } from './open-opener.js';
export { rewrapOpenerRing } from './rewrap-ring.js';
