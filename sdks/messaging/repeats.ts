/**
 * What has been seen already. Give a durable one to keep repeats out across restarts; it is written before the ack
 * and after the app's handler, so a crash between the two shows a message twice rather than never.
 */
export interface SeenStore {
  has(key: string): boolean | Promise<boolean>;
  add(keys: readonly string[]): void | Promise<void>;
}

/** Remembers the last `limit` keys; the oldest is forgotten first. */
export function createMemorySeenStore(limit = 50_000): SeenStore {
  const keys = new Set<string>();
  return {
    has: (key) => keys.has(key),
    add(added) {
      for (const key of added) keys.add(key);
      for (const key of keys) {
        if (keys.size <= limit) break;
        keys.delete(key);
      }
    },
  };
}
