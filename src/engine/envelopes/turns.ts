/** One's place among those of the same key. */
export interface Turn {
  /** Resolves when all before have passed. */
  readonly came: Promise<void>;
  /** Lets the next go on; a second time it does nothing. */
  pass(): void;
}

/**
 * Keeps what each key begins in the order in which it began: all prepare side by side, as long as each takes, and each goes
 * on when those before it have. Different keys do not wait for each other.
 */
export function createTurns(): (key: string) => Turn {
  const last = new Map<string, Promise<void>>();
  return (key) => {
    const came = last.get(key) ?? Promise.resolve();
    let pass = (): void => undefined;
    const passed = new Promise<void>((resolve) => {
      pass = resolve;
    });
    const mine = came
      .then(() => passed)
      .then(() => {
        if (last.get(key) === mine) last.delete(key);
      });
    last.set(key, mine);
    return { came, pass };
  };
}
