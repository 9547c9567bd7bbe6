/** A step of the story is not as it should be. */
export class StoryError extends Error {
  override readonly name = 'StoryError';
}

/** Fails the story's step with these words unless the condition holds. */
export function expect(condition: unknown, words: string): asserts condition {
  if (!condition) throw new StoryError(words);
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Asks again until there is an answer, as a program does that waits for something to happen elsewhere.
 *
 * @throws StoryError with the words when `withinMs` are over.
 */
export async function until<T>(words: string, ask: () => Promise<T | undefined>, withinMs = 20_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new StoryError(`${words}: nothing came within ${withinMs / 1_000} s`);
    await pause(50);
  }
}

/** Whether a failure only says that the gateway is away for the moment. */
function isAway(failure: unknown): boolean {
  const { name, status, code, body } = failure as { name?: string; status?: number; code?: string; body?: { code?: string } };
  return (
    name === 'TypeError' ||
    name === 'TimeoutError' ||
    status === 502 ||
    status === 503 ||
    (status === 409 && body?.code === 'IDEMPOTENCY.IN_FLIGHT') ||
    String(code).startsWith('CLIENT.')
  );
}

/** Does something that may be repeated, and repeats it while the gateway is away (a restart, for instance). */
export async function patiently<T>(act: () => Promise<T>, withinMs = 30_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      return await act();
    } catch (failure) {
      if (!isAway(failure) || Date.now() > end) throw failure;
      await pause(100);
    }
  }
}
