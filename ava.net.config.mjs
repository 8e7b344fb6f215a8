// Tests that need root and network namespaces: file by file, and in a file one by one where it says so, since they share two cores.
export default {
  files: ['build/test/net/**/*.test.js'],
  concurrency: 1,
  timeout: '3m',
  workerThreads: false,
};
