// Unit tests as scripts/unit.mjs bundles them: one after the other in each bundle. (`serial` would run the bundles so as well.)
export default {
  files: ['build/unit/*.test.mjs'],
  extensions: ['mjs'],
  concurrency: 2, workerThreads: false,
  // More cases than usual take longer, by so many times.
  timeout: `${2 * Math.max(1, Number(process.env.PROPERTY_SHARE ?? 1))}m`,
};
