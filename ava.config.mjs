// Unit tests: everything that needs neither root nor namespaces.
export default {
  files: ['build/test/**/*.test.js', '!build/test/net/**'],
  timeout: '2m',
};
