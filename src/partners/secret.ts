import { inspect } from 'node:util';

/** A password or key from partner.yaml. It does not print: as text, as JSON or in a log it reads `[secret]`. */
export interface Secret {
  /** The value itself. Call it where it is used, and keep the result nowhere. */
  reveal(): string;
  toString(): string;
  toJSON(): string;
}

export function createSecret(value: string): Secret {
  const masked = () => '[secret]';
  return Object.freeze({ reveal: () => value, toString: masked, toJSON: masked, [inspect.custom]: masked });
}
