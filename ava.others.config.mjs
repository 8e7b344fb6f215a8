// What is no unit test and needs no namespaces: the built program, packages, the page in Chromium, seconds of computing.
import { otherFiles } from './scripts/test-kinds.mjs';

export default {
  files: otherFiles,
  timeout: '2m',
};
