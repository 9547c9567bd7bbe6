export { ConfigurationError } from './configuration-error.js';
export { isDefaultPassword } from './cross-problems.js';
export { printConfigurationPage, printEnvExample } from './documentation.js';
export { ROLES, type Role } from './environment.js';
export { folderProblems, portProblems, type UsableOptions } from './machine-problems.js';
export { configAtPort, type GatewayConfig, readConfig, readOptions } from './read-config.js';
