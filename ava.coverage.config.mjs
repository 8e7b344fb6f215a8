// Unit tests one by one, as compiled: a bundle's source map does not lead back to every line.
import { compiled, unitFiles } from './scripts/test-kinds.mjs';

export default {
  files: unitFiles.map(compiled),
  environmentVariables: { PROPERTY_SHARE: '0.05' },
  timeout: '2m',
};
