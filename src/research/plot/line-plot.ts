// A plot of lines as data: axes, series, marks.

/** One line of a panel. */
export interface Series {
  name: string;
  /** In the order of x. A y that is not finite interrupts the line. */
  points: readonly (readonly [x: number, y: number])[];
  /** `step` holds each y until the next x; `points` draws dots only. */
  style?: 'line' | 'step' | 'points';
  colour?: string;
  dashed?: boolean;
}

/** Something that happened at a moment: a vertical line through its panel. */
export interface PlotEvent {
  x: number;
  label?: string;
}

/** One set of axes; panels of a plot stand one above the other and share x. */
export interface Panel {
  title?: string;
  yLabel: string;
  series: readonly Series[];
  events?: readonly PlotEvent[];
  yFrom?: number;
  yTo?: number;
  yLog?: boolean;
  /** Horizontal reference lines. */
  references?: readonly { y: number; label: string }[];
}

export interface LinePlot {
  title: string;
  description?: string;
  xLabel: string;
  panels: readonly Panel[];
  xFrom?: number;
  xTo?: number;
  xLog?: boolean;
  width?: number;
  /** Of one panel's axes, pixels. */
  panelHeight?: number;
}
