/** The shaping thread alone runs at this, by which benches tell it from Node.js's other threads. */
export const SHAPING_NICE = -15;
