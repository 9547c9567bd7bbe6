/** What a command is given of the process, so that tests give something else. */
export interface CommandContext {
  env: Readonly<Record<string, string | undefined>>;
  /** Whole lines for standard output, each with its line break. */
  write(text: string): void;
  /** Milliseconds since 1970. */
  now(): number;
}
