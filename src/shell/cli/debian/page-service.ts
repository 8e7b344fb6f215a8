// The page beside a home's service: a part of the program of its own, which the package of a home on Debian has.
import { WebPage, type WebPageOptions } from '../../web/web-page.ts';

/** The page, not served yet. What knows configurations is the service's, which has read it already. */
export async function createPage(options: Omit<WebPageOptions, 'parts'>): Promise<WebPage> {
  const { parseConfig, parseUci, renderUciFile, renderConfigStatus } = await import('../home.ts');
  const parts = { parseConfig, parseUci, renderUciFile, renderConfigStatus };
  return new WebPage({ ...options, parts });
}
