// ava's `test` with a file's name before every title, one test after the other: those of a bundle share an event loop.

/**
 * @param {import('ava').TestFn} test
 * @param {string} file
 * @returns {import('ava').TestFn}
 */
export function named(test, file) {
  const name = (declare) =>
    new Proxy(declare, {
      apply(target, self, [first, ...rest]) {
        if (typeof first === 'string') return target.call(self, `${file} › ${first}`, ...rest);
        // A macro names the test by itself; a hook needs no name.
        const title = first.title?.(undefined, ...rest);
        return title === undefined
          ? target.call(self, first, ...rest)
          : target.call(self, `${file} › ${title}`, first.exec ?? first, ...rest);
      },
      get: (target, property, proxy) => {
        if (property === 'serial') return proxy;
        return ['failing', 'only', 'skip'].includes(property)
          ? name(target[property])
          : (target[property] ?? test[property]);
      },
    });
  return name(test.serial);
}
