// The contract, asked of QuickJS's door by itself: qjs contract-run.mjs FOLDER
import '../../src/shell/system/quickjs/stand-ins/globals.ts';
import { openConsole, runToEnd } from '../../src/shell/system/quickjs/quickjs-console.ts';
import { quickjsSystem } from '../../src/shell/system/quickjs/quickjs-system.ts';
import { contract } from './contract.ts';

const { words, write, exit } = openConsole();

async function askAll(): Promise<number> {
  let failed = 0;
  for (const [index, [name, promised]] of Object.entries(contract).entries()) {
    const folder = `${words[0]}/${index}`;
    await quickjsSystem.files.makeFolder(folder);
    const why = await promised(quickjsSystem, folder).then(
      () => null,
      (error: Error) => `${error.message}\n${error.stack}`,
    );
    await quickjsSystem.files.remove(folder);
    write(`${why === null ? '✔' : '✘'} ${name}${why === null ? '' : `: ${why}`}\n`);
    if (why !== null) failed++;
  }
  return failed;
}

void askAll().then((failed) => exit(failed === 0 ? 0 : 1));
runToEnd();
