// Colours that also people who are colour-blind tell apart.

/** Okabe and Ito (2008), the yellow left out because it is lost on white. */
export const seriesColours: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#555555',
];

/** The colour of a plot's series number `index`; they come round again after the last. */
export function colourOf(index: number): string {
  return seriesColours[index % seriesColours.length]!;
}

/** Anchors of viridis (van der Walt and Smith 2015): lightness grows evenly with the value. */
const viridis: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [109, 205, 89],
  [180, 222, 44],
  [253, 231, 37],
];

/** The colour for `share` from 0 (dark) to 1 (light), and the text colour readable on it. */
export function heatColour(share: number): { fill: string; text: string } {
  const place = Math.min(Math.max(share, 0), 1) * (viridis.length - 1);
  const low = Math.min(Math.floor(place), viridis.length - 2);
  const rgb = viridis[low]!.map((from, i) => {
    const to = viridis[low + 1]![i]!;
    return Math.round(from + (to - from) * (place - low));
  });
  const luminance = 0.299 * rgb[0]! + 0.587 * rgb[1]! + 0.114 * rgb[2]!;
  return { fill: `rgb(${rgb.join(',')})`, text: luminance > 130 ? '#111111' : '#ffffff' };
}
