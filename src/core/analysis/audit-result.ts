// What an audit finds.
import type { Notice } from '../notices/notice.ts';
import type { SizeFigures } from './audit-sizes.ts';
import type { WindowFigures } from './audit-windows.ts';
import type { LabelTestResult } from './statistics/permutation.ts';

export type AuditLevel = 'clean' | 'leak' | 'too short';

/** What betrays the devices. */
export interface Finding extends Notice {
  /** `sizes`, `intervals`, `onsets` or `windows of 1 s`. */
  family: string;
  test: string;
  /** Corrected for everything that was tried; 0 where chance cannot explain it at all. */
  pValue: number;
  /** How far out, in standard deviations of chance; null where chance has none. */
  z: number | null;
}

export interface AuditResult {
  level: AuditLevel;
  /** Its sentences, with their n and their limits. */
  verdict: Notice[];
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
  limits: Notice[];
  familyError: number;
  seed: number;
}
