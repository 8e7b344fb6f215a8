// What is no unit test and needs no namespaces: the built program, packages, the page in Chromium, seconds of computing.
import { others } from './scripts/test-kinds.mjs';

export default {
  files: others.map((path) => `build/test/${path.replace(/\.ts$/, '.js')}`),
  timeout: '2m',
};
