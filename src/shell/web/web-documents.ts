// The HTML documents of the page: a frame for each tab, and the one that asks for the password.
import type { Tab, WebFiles } from './web-files.ts';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character]!);
}

function document(
  { addressOf, languages }: WebFiles,
  language: string,
  scripts: readonly string[],
  meta: Readonly<Record<string, string>>,
): string {
  const words = language === languages[0] ? [] : [`words.${language}.js`];
  const head = [
    '<meta charset="utf-8">',
    '<title>IoT Privacy</title>',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<link rel="icon" href="data:,">',
    `<link rel="stylesheet" href="${addressOf('frame.css')}">`,
    ...Object.entries(meta).map(
      ([name, value]) => `<meta name="${name}" content="${escapeHtml(value)}">`,
    ),
    ...[...words, ...scripts].map((name) => `<script defer src="${addressOf(name)}"></script>`),
  ];
  return `<!DOCTYPE html>
<html lang="${language}">
<head>
${head.join('\n')}
</head>
<body>
<noscript>This page needs JavaScript.</noscript>
<div id="maincontent" class="container"></div>
</body>
</html>
`;
}

/** @param token that its requests carry */
export function renderTab(files: WebFiles, language: string, tab: Tab, token: string): string {
  return document(files, language, ['page.js'], {
    'iotshaper-token': token,
    'iotshaper-tab': tab.name,
    'iotshaper-tabs': JSON.stringify(files.tabs),
    'iotshaper-style': files.addressOf('page.css'),
  });
}

export function renderLogin(files: WebFiles, language: string): string {
  return document(files, language, ['login.js'], {});
}
