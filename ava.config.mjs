// Everything that needs neither root nor namespaces: units in full, the built program, packages, the page in Chromium.
export default {
  files: ['build/test/**/*.test.js', '!build/test/net/**'],
  timeout: '2m',
};
