// LuCI's `rpc` for the pages: calls of one turn of the event loop go out together, each with the word that the page was given.
import { toldOf } from './told.js';

class RPCError extends Error {
  name = 'RPCError';
}

const statusTexts = {
  2: 'Invalid argument',
  3: 'Method not found',
  4: 'Resource not found',
  6: 'Permission denied',
};

export async function post(path, value) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-iotshaper-token': toldOf('token') },
    body: JSON.stringify(value),
  });
  // The login has ended, or the service has begun anew.
  if (response.status === 401) window.location.replace('/login');
  if (!response.ok) throw new RPCError(`failed with HTTP error ${response.status}`);
  return response.json();
}

let batch = [];

async function sendBatch() {
  const sent = batch;
  batch = [];
  try {
    const replies = await post(
      '/api',
      sent.map(({ message }) => message),
    );
    for (const [index, { settle }] of sent.entries()) settle(replies[index]);
  } catch (error) {
    for (const { fail } of sent) fail(error);
  }
}

function send(message) {
  return new Promise((settle, fail) => {
    if (batch.length === 0) setTimeout(sendBatch, 0);
    batch.push({ message, settle, fail });
  });
}

const typeOf = (value) => Object.prototype.toString.call(value);

/** As LuCI's has it, its errors' words included: the pages read in them what happened. */
export const rpc = {
  declare({ object, method, params = [], expect = {}, reject = false }) {
    return async (...values) => {
      const args = Object.fromEntries(params.map((name, index) => [name, values[index]]));
      const [code, data] = await send({ object, method, args });
      if (reject && code !== 0)
        throw new RPCError(
          `RPC call to ${object}/${method} failed with ubus code ${code}: ${statusTexts[code] ?? 'Unknown error'}`,
        );
      let result = data ?? code;
      for (const [key, fallback] of Object.entries(expect)) {
        if (result !== null && key !== '') result = result[key];
        if (result === null || result === undefined || typeOf(result) !== typeOf(fallback))
          result = fallback;
      }
      return result;
    };
  },
};
