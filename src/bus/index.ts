export { BUS_RESUMED, type Bus } from './bus.js';
export { createInProcessBus } from './in-process.js';
export { type NatsBus, type NatsBusOptions, openNatsBus } from './nats.js';
