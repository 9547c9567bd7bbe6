export { freePort } from '../../tools/gateway/free-port.js';
