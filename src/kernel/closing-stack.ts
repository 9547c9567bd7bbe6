/** Anything that holds a resource until it is closed. Closing twice is allowed and does nothing. */
export interface Closable {
  close(): Promise<void> | void;
}

/** What has been opened, closed in the reverse order: edges before the store they write to. */
export class ClosingStack {
  readonly #opened: Closable[] = [];

  push<T extends Closable>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }

  /** Closes everything, the last opened first. A failure does not keep the others open; the first one is rethrown. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let next = this.#opened.pop(); next; next = this.#opened.pop()) {
      try {
        await next.close();
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
