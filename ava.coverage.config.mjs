// Unit tests one by one, as compiled: a bundle's source map does not lead back to every line.
import { others } from './scripts/test-kinds.mjs';

export default {
  files: [
    'build/test/**/*.test.js',
    ...[...others, 'net/'].map((path) => `!build/test/${path.replace(/\.ts$/, '.js')}`),
  ],
  environmentVariables: { PROPERTY_SHARE: '0.05' },
  timeout: '2m',
};
