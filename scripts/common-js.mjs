// Modules of ECMAScript, as esbuild bundles them, said as CommonJS: in fewer bytes than its own way, which keeps bindings live.

/** A statement of minified code, after another one or at the beginning. */
const IMPORT =
  /(?<=^|[;}\n])import ?(?:(?<name>[\w$]+)?,?(?:\*as (?<all>[\w$]+)|\{(?<some>[^}]*)\})? ?from)?"(?<path>[^"]+)";/g;
const EXPORT = /(?<=^|[;}\n])export\{(?<some>[^}]*)\};/g;
const LATER = /(?<![\w$.])import\(("[^"]+")\)/g;

/**
 * Imports become require(), what is exported is handed over when the module has run: none of ours is read earlier, nor changes later.
 * @param {string} module as esbuild prints it minified
 * @param {readonly string[]} imported what it imports, as esbuild tells
 */
export function sayAsCommonJs(module, imported) {
  /** @type {Map<string, string[]>} what is taken of each module, in the order in which they run */
  const taken = new Map();
  const whole = [];
  const exported = [];
  const body = module
    .replace(IMPORT, (_text, ...found) => {
      const { name, all, some = '', path } = found.at(-1);
      // Of Node's modules the default is the module itself.
      if (name && !path.startsWith('node:')) throw new Error(`${path}: has no default`);
      for (const one of [name, all]) if (one) whole.push(`var ${one}=require("${path}");`);
      const names = pairsOf(some).map(([from, to]) => `${from}:${to}`);
      taken.set(path, [...(taken.get(path) ?? []), ...names]);
      return '';
    })
    .replace(EXPORT, (_text, ...found) => {
      exported.push(...pairsOf(found.at(-1).some).map(([from, to]) => `${to}:${from}`));
      return '';
    })
    .replace(LATER, 'Promise.resolve().then(()=>require($1))');
  const [said, meant] = [taken.keys(), imported].map((paths) => [...new Set(paths)].sort().join());
  if (said !== meant) throw new Error(`imports are ${meant}, those found are ${said}`);
  const head = [...taken].map(([path, names]) =>
    names.length > 0 ? `var{${names}}=require("${path}");` : `require("${path}");`,
  );
  return [...head, ...whole, body, `\nmodule.exports={${exported}};`].join('');
}

/** What `a as b,c` says, as pairs. @param {string} list @returns {string[][]} */
function pairsOf(list) {
  return list
    .split(',')
    .filter((item) => item !== '')
    .map((item) => {
      const [from, to = from] = item.split(' as ');
      return [from, to];
    });
}
