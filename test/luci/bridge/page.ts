// The HTML LuCI's templates put around a view, and the menu it draws tabs from.
import { readFileSync } from 'node:fs';

const menuFile = 'luci-app/root/usr/share/luci/menu.d/luci-app-iotshaper.json';

interface MenuEntry {
  title: string;
  order: number;
  action: { type: string; path?: string };
}

interface MenuNode extends Partial<MenuEntry> {
  satisfied: true;
  readonly?: boolean;
  children?: Record<string, MenuNode>;
}

export const menuEntries = () =>
  JSON.parse(readFileSync(menuFile, 'utf8')) as Record<string, MenuEntry>;

/** The tree that `admin/menu` answers with. */
export function menuTree(): MenuNode {
  const root: MenuNode = { satisfied: true, children: {} };
  const grown = { admin: 'Administration', 'admin/services': 'Services' };
  const titles = Object.entries(grown).map(([path, title]) => [
    path,
    { title, order: 1, action: { type: 'firstchild' } },
  ]);
  const entries: Record<string, MenuEntry> = { ...Object.fromEntries(titles), ...menuEntries() };
  for (const [path, entry] of Object.entries(entries)) {
    let node = root;
    for (const part of path.split('/')) {
      node.children ??= {};
      node.children[part] ??= { satisfied: true };
      node = node.children[part];
    }
    Object.assign(node, entry);
  }
  return root;
}

export interface PageOptions {
  tab: string;
  session: string;
  isReadOnly: boolean;
  language: string;
  isDark: boolean;
  /** LuCI's own client side is served instead of the stand-in. */
  isReal: boolean;
}

/** What LuCI loads by itself where it is needed. */
const standInScripts = ['widgets', 'form']
  .map((name) => `<script src="/forms/${name}.js"></script>`)
  .join('\n');

/** One tab's page, with the parts LuCI's bootstrap theme has. */
export function renderPage({
  tab,
  session,
  isReadOnly,
  language,
  isDark,
  isReal,
}: PageOptions): string {
  const path = ['admin', 'services', 'iotshaper', tab];
  const environment = {
    media: '/luci-static/bootstrap',
    resource: '/luci-static/resources',
    scriptname: '/cgi-bin/luci',
    pathinfo: `/${path.join('/')}`,
    documentroot: '/www',
    requestpath: path,
    dispatchpath: path,
    pollinterval: 5,
    ubuspath: '/ubus/',
    sessionid: session,
    token: 'token',
    nodespec: { satisfied: true, readonly: isReadOnly },
    apply_rollback: 30,
    apply_holdoff: 0.1,
    apply_timeout: 5,
    apply_display: 0.1,
    rollback_token: null,
  };
  const view = menuEntries()[path.join('/')]?.action.path ?? '';
  return `<!DOCTYPE html>
<html lang="${language}" data-darkmode="${isDark}">
<head>
<meta charset="utf-8">
<title>OpenWrt - ${tab} - LuCI</title>
<meta name="viewport" content="initial-scale=1.0">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/luci-static/bootstrap/cascade.css">
<link rel="stylesheet" media="only screen and (max-device-width: 854px)" href="/luci-static/bootstrap/mobile.css">
<script src="/cgi-bin/luci/admin/translations/${language}"></script>
${isReal ? '<script src="/luci-static/resources/cbi.js"></script>' : ''}
</head>
<body class="lang_${language}" data-page="${path.join('-')}">
<header>
<a class="brand" href="/">OpenWrt</a>
<ul class="nav" id="topmenu" style="display:none"></ul>
<div id="indicators" class="pull-right"></div>
</header>
<div id="maincontent" class="container">
<div id="tabmenu" style="display:none"></div>
<script src="/luci-static/resources/luci.js"></script>
${isReal ? '' : standInScripts}
<script>L = new LuCI(${JSON.stringify(environment)});</script>
<div id="view">
<div class="spinning">Loading view…</div>
<script>L.require('ui').then(function(ui) { ui.instantiateView('${view}'); });</script>
</div>
</div>
<footer><ul class="breadcrumb pull-right" id="modemenu" style="display:none"></ul></footer>
<script>L.require('menu-bootstrap')</script>
</body>
</html>
`;
}
