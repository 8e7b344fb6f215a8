// What a home has on Debian in the place of uci, ubus and LuCI: commands that set options, and words of Debian's.
import type { Command } from 'commander';
import { inDebiansWords } from '../../../core/notices/debian-words.ts';
import type { Console } from '../../system/console.ts';
import type { Context } from '../context.ts';
import { registerCall } from './call.ts';
import { registerPage } from './page.ts';
import { registerSettings } from './settings.ts';
import { registerTunnel } from './tunnel.ts';

/** The console, on which sentences name Debian's commands. */
export function onDebian(console: Console): Console {
  return {
    ...console,
    write: (text) => console.write(typeof text === 'string' ? inDebiansWords(text) : text),
    writeError: (text) => console.writeError(inDebiansWords(text)),
  };
}

export function registerDebian(program: Command, context: Context): void {
  registerSettings(program, context);
  registerTunnel(program, context);
  registerPage(program, context);
  registerCall(program, context);
}
