// The version this bundle was built as.
declare const VERSION: string | undefined;

/** As in package.json; `dev` outside a bundle. */
export const version: string = typeof VERSION === 'string' ? VERSION : 'dev';
