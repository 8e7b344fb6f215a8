// The version this bundle was built as.
declare const VERSION: string | undefined;
declare const SOURCE_DATE: number | undefined;

/** As in package.json; `dev` outside a bundle. */
export const version: string = typeof VERSION === 'string' ? VERSION : 'dev';

/** Unix seconds of what it was built from; 0 outside a bundle. */
export const sourceDateS: number = typeof SOURCE_DATE === 'number' ? SOURCE_DATE : 0;
