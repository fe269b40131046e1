import { type OnReadOpts, Socket } from "node:net";

/**
 * Node gives `onread`, reading into a buffer of one's own, to sockets that connect, and not to those a server accepts:
 * each read of these is a new 64 KiB, most of it given back, all of it soon garbage. This moves the connection of an
 * accepted socket that is not read yet (`pauseOnConnect`) into one made with `onread`, the way a server makes its sockets.
 *
 * It stands on two things no document promises, both there since Node 0.10: `_handle`, where a socket has its connection,
 * and `handle`, by which its constructor takes one. Where either is missing, `accepted` is returned as it was; whether
 * `onread` is in use is told by Node asking for its buffer, at once. Tried with Node 20.20, 22.23 and 24.21.
 */
export function movedToOnRead(accepted: Socket, onread: OnReadOpts): Socket {
  const handle: unknown = Reflect.get(accepted, "_handle");
  if (typeof handle !== "object" || handle === null || !("useUserBuffer" in handle)) return accepted;
  // By reflection, as the types have no such `handle`.
  const options = { handle, onread, allowHalfOpen: accepted.allowHalfOpen };
  const socket: unknown = Reflect.construct(Socket, [options]);
  if (!(socket instanceof Socket) || Reflect.get(socket, "_handle") !== handle) return accepted;
  Reflect.set(accepted, "_handle", null);
  // The server counts the connection until it closes, as it does without us.
  Reflect.set(socket, "_server", Reflect.get(accepted, "_server"));
  Reflect.set(accepted, "_server", null);
  return socket;
}
