export { ConfigurationError } from './configuration-error.js';
export { printConfigurationPage, printEnvExample } from './documentation.js';
export { ROLES, type Role } from './environment.js';
export { configAtPort, type GatewayConfig, readConfig } from './read-config.js';
