// The few SVG elements plots are made of; every text is escaped.

type Attributes = Record<string, string | number | undefined>;

/** One element; `children` is markup already. */
export function element(name: string, attributes: Attributes, children = ''): string {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    text += ` ${key}="${typeof value === 'number' ? pixel(value) : escapeText(value)}"`;
  }
  return children === '' ? `${text}/>` : `${text}>${children}</${name}>`;
}

/** A piece of text; `attributes` may hold x, y, text-anchor, class, transform … */
export function label(content: string, attributes: Attributes): string {
  return element('text', attributes, escapeText(content));
}

/** Text that is safe between tags and in attributes; what XML forbids even when escaped is left out. */
export function escapeText(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** A coordinate with at most two decimals. */
export function pixel(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** A rough width of text in the plots' font; exact needs a renderer, and margins only have to be enough. */
export function textWidth(text: string, fontPixels = 12): number {
  return text.length * fontPixels * 0.6;
}

export interface Picture {
  width: number;
  height: number;
  title: string;
  /** Read out by screen readers; the title alone where missing. */
  description?: string;
  body: string;
}

const style =
  '.plot text{font-family:"DejaVu Sans",Verdana,Helvetica,Arial,sans-serif;font-size:12px;fill:#222}' +
  '.plot .plot-title{font-size:15px;font-weight:bold}.plot .plot-subtitle{fill:#555}.plot .plot-tick{font-size:11px;fill:#444}' +
  '.plot .plot-event{font-size:10px;fill:#7a1f5c}';

/** A whole SVG picture on white, scaling with the page that holds it. */
export function picture({ width, height, title, description, body }: Picture): string {
  const background = element('rect', { width, height, fill: '#ffffff' });
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${pixel(width)} ${pixel(height)}`,
      role: 'img',
      class: 'plot',
    },
    element('title', {}, escapeText(title) || ' ') +
      (description ? element('desc', {}, escapeText(description)) : '') +
      element('style', {}, style) +
      background +
      body,
  );
}
