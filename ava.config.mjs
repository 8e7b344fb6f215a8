// Any test that needs no namespaces, each file by itself, as one runs it while at work: `npx ava build/test/config/uci.test.js`.
export default {
  files: ['build/test/**/*.test.js', '!build/test/net/**'],
  timeout: '2m',
};
