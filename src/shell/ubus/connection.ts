// One connection to ubusd: socket in, messages out, bounded both ways; it never reconnects.

import type { Connection as Socket, System, SystemError } from '../system/system.ts';
import { encodeFrame, type Frame, FrameParser, messageType } from './frame.ts';
import { UbusError } from './status.ts';

/** A ubusd that leaves this much unread is taken for dead: twice what it would itself queue. */
const maxQueuedBytes = 2 * 1_048_576;

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
export async function openConnection(
  { sockets, timers }: Pick<System, 'sockets' | 'timers'>,
  socketPath: string,
  handlers: ConnectionHandlers,
  helloTimeoutMs: number,
): Promise<Connection> {
  const refusal = (reason: string): UbusError =>
    new UbusError('CONNECTION_FAILED', `no ubusd at ${socketPath} (${reason})`);
  const socket = await sockets.connect(socketPath).catch((error: SystemError) => {
    throw refusal(error.code);
  });
  return await new Promise((resolve, reject) => {
    const parser = new FrameParser();
    let reason = 'ubusd closed the connection';
    let isGreeted = false;
    let isOver = false;

    const end = (why: string) => {
      reason = why;
      isOver = true;
      socket.close();
    };
    const cancelTimeout = timers.after(helloTimeoutMs, () => {
      reject(new UbusError('TIMEOUT', `no hello from ubusd at ${socketPath}`));
      isOver = true;
      socket.close();
    });

    socket.onClose((error) => {
      isOver = true;
      cancelTimeout();
      const why = error?.code ?? reason;
      if (isGreeted) handlers.onClose(why);
      else reject(refusal(why));
    });
    socket.onData((piece) => {
      const { frames, error } = parser.push(piece);
      for (const frame of frames) {
        if (isOver) return;
        if (isGreeted) handlers.onFrame(frame);
        else if (frame.type === messageType.hello) {
          isGreeted = true;
          cancelTimeout();
          resolve(makeConnection(socket, frame.peer, () => isOver, end));
        } else return end('ubusd did not say hello first');
      }
      if (error) end(`ubusd sent what is no message: ${error.message}`);
    });
  });
}

function makeConnection(
  socket: Socket,
  clientId: number,
  isOver: () => boolean,
  end: (reason: string) => void,
): Connection {
  return {
    clientId,
    send(frame) {
      const bytes = encodeFrame(frame);
      if (isOver()) return;
      if (socket.queuedBytes + bytes.length > maxQueuedBytes) {
        end(`ubusd has not read ${socket.queuedBytes} bytes`);
        return;
      }
      socket.write(bytes);
    },
    close() {
      socket.end();
    },
  };
}
