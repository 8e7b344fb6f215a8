// Unit tests as `make unit` bundles them: one after the other in each bundle, whose tests share an event loop.
export default {
  files: ['build/unit/*.test.mjs'],
  extensions: ['mjs'],
  concurrency: 4,
  serial: true,
  timeout: '1m',
  environmentVariables: { PROPERTY_SHARE: '0.05' },
};
