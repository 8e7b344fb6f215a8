// Prints blobmsg fields as the `ubus` command does (libubox blobmsg_json.c).

import type { BlobmsgField, BlobmsgValue } from '../../../src/shell/ubus/blobmsg.ts';

/** @param indent tabs and new lines, as `ubus call` prints; else one line, as `ubus listen` does */
export function renderJson(fields: readonly BlobmsgField[], indent: boolean): string {
  return renderList(fields, indent ? 0 : null, '{', '}', true);
}

function renderList(
  fields: readonly BlobmsgField[],
  level: number | null,
  open: string,
  close: string,
  named: boolean,
): string {
  const inner = level === null ? null : level + 1;
  const lineOf = (depth: number | null) => (depth === null ? '' : `\n${'\t'.repeat(depth)}`);
  const parts = fields.map((field) => {
    const name =
      named && field.name !== '' ? `${quote(field.name)}:${level === null ? '' : ' '}` : '';
    return name + renderValue(field, inner);
  });
  return open + lineOf(inner) + parts.join(`,${lineOf(inner)}`) + lineOf(level) + close;
}

function renderValue(field: BlobmsgValue, level: number | null): string {
  switch (field.type) {
    case 'unspec':
      return 'null';
    case 'int8':
      return field.value ? 'true' : 'false';
    case 'double':
      return field.value.toFixed(6);
    case 'string':
      return quote(field.value);
    case 'array':
      return renderList(field.value, level, '[', ']', false);
    case 'table':
      return renderList(field.value, level, '{', '}', true);
    default:
      return String(field.value);
  }
}

function quote(text: string): string {
  const escapes: Record<string, string> = { '\b': '\\b', '\n': '\\n', '\t': '\\t', '\r': '\\r' };
  const escaped = (char: string) =>
    escapes[char] ??
    (char < ' ' ? `\\u00${char.charCodeAt(0).toString(16).padStart(2, '0')}` : `\\${char}`);
  return `"${text.replaceAll(/[\u0000-\u001f"\\]/g, escaped)}"`;
}
