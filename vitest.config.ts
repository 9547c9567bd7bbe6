import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/build.setup.ts'],
    pool: 'forks',
    // The default leaves a core idle, and most tests wait for a disk or a socket.
    maxWorkers: 2,
    // Loading the gateway anew for each of the files costs more than most of them do; none changes what it imports.
    isolate: false,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
