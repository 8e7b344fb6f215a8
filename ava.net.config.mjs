// Tests that need root and network namespaces: one at a time, since they share two cores' timing.
export default {
  files: ['build/test/net/**/*.test.js'],
  concurrency: 1,
  timeout: '3m',
  workerThreads: false,
};
