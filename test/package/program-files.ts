// The built program as its packages hold it, file by file.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface ProgramFile {
  name: string;
  bytes: number;
  /** Sources of which something is in it, with how many bytes of it. */
  sources: ReadonlyMap<string, number>;
}

const { filesOf, mainParts, outputOf } = await import(
  pathToFileURL(resolve('scripts/package-files.mjs')).href
);

/** Parts of the program that a router has; the first two are its service. */
export const routerParts: readonly string[] = mainParts;
export const serviceParts = routerParts.slice(0, 2);

/** The files of these parts, with what they share. */
export function programFiles(parts: readonly string[]): ProgramFile[] {
  return filesOf(parts).map((name: string) => {
    const { bytes, inputs } = outputOf(name) as {
      bytes: number;
      inputs: Record<string, { bytesInOutput: number }>;
    };
    const sources = Object.entries(inputs).map(
      ([path, { bytesInOutput }]) => [path, bytesInOutput] as const,
    );
    return { name, bytes, sources: new Map(sources) };
  });
}

export function bytesOf(files: readonly ProgramFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
