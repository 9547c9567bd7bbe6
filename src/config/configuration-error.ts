import { GatewayError } from '../kernel/errors.js';

/** Everything that is wrong with the process's variables or with `partners/`, all of it at once. */
export class ConfigurationError extends GatewayError {
  /** One sentence each: where, what, and the fix. No value of a secret. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('CONFIG.INVALID', { detail: problems.join('\n') });
    this.problems = problems;
  }
}
