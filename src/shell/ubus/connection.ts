// One connection to ubusd: socket in, messages out, bounded both ways; it never reconnects.

import { createConnection, type Socket } from 'node:net';
import { encodeFrame, type Frame, FrameParser, messageType } from './frame.ts';
import { UbusError } from './status.ts';

/** A ubusd that leaves this much unread is taken for dead: twice what it would itself queue. */
export const maxQueuedBytes = 2 * 1_048_576;

export interface ConnectionHandlers {
  onFrame(frame: Frame): void;
  /** Called once, however it ended. */
  onClose(reason: string): void;
}

export interface Connection {
  /** The id ubusd gave us. */
  readonly clientId: number;
  /** Queues a message; a queue that is full ends the connection. @throws CodecError if too long */
  send(frame: Frame): void;
  /** Ends it once what is queued has been written. */
  close(): void;
}

/**
 * Connects and waits for ubusd's hello.
 *
 * @throws UbusError CONNECTION_FAILED or TIMEOUT, naming the socket
 */
export function openConnection(
  socketPath: string,
  handlers: ConnectionHandlers,
  helloTimeoutMs: number,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    const parser = new FrameParser();
    let reason = 'ubusd closed the connection';
    let open = false;

    const end = (why: string) => {
      reason = why;
      socket.destroy();
    };
    const helloTimer = setTimeout(() => {
      reject(new UbusError('TIMEOUT', `no hello from ubusd at ${socketPath}`));
      socket.destroy();
    }, helloTimeoutMs);

    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message;
    });
    socket.on('close', () => {
      clearTimeout(helloTimer);
      if (open) handlers.onClose(reason);
      else reject(new UbusError('CONNECTION_FAILED', `no ubusd at ${socketPath} (${reason})`));
    });
    socket.on('data', (chunk) => {
      const { frames, error } = parser.push(chunk);
      for (const frame of frames) {
        if (socket.destroyed) return;
        if (open) handlers.onFrame(frame);
        else if (frame.type === messageType.hello) {
          open = true;
          clearTimeout(helloTimer);
          resolve(makeConnection(socket, frame.peer, end));
        } else return end('ubusd did not say hello first');
      }
      if (error) end(`ubusd sent what is no message: ${error.message}`);
    });
  });
}

function makeConnection(
  socket: Socket,
  clientId: number,
  end: (reason: string) => void,
): Connection {
  return {
    clientId,
    send(frame) {
      const bytes = encodeFrame(frame);
      if (socket.destroyed) return;
      if (socket.writableLength + bytes.length > maxQueuedBytes) {
        end(`ubusd has not read ${socket.writableLength} bytes`);
        return;
      }
      socket.write(bytes);
    },
    close() {
      socket.destroySoon();
    },
  };
}
