// What an audit finds, in figures and in words.
import type { SizeFigures } from './audit-sizes.ts';
import type { WindowFigures } from './audit-windows.ts';
import type { LabelTestResult } from './statistics/permutation.ts';

export type AuditLevel = 'clean' | 'leak' | 'too short';

/** What betrays the devices. */
export interface Finding {
  /** `sizes`, `intervals`, `onsets` or `windows of 1 s`. */
  family: string;
  test: string;
  /** Corrected for everything that was tried; 0 where chance cannot explain it at all. */
  pValue: number;
  /** How far out, in standard deviations of chance; null where chance has none. */
  z: number | null;
  /** In words. */
  text: string;
}

export interface AuditResult {
  level: AuditLevel;
  /** The verdict in words, with its n and its limits. */
  sentence: string;
  seconds: number;
  startS: number;
  packets: { up: number; down: number };
  /** What stands at the ends of the recording before and after the stream and is left out, seconds. */
  leftOutS: { start: number; end: number };
  sizes: SizeFigures[];
  windows: WindowFigures[];
  onsets: { tested: number; strongest: LabelTestResult | null };
  /** Every family of tests with its p, and that p after Holm's correction over the families. */
  families: { name: string; tests: number; pValue: number; adjustedP: number }[];
  findings: Finding[];
  limits: string[];
  familyError: number;
  seed: number;
}
