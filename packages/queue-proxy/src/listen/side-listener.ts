import { type Clock, type Exchange, HttpServer, type Listener, pathNotFound } from "@rouse/shared";

/** What listens beside the main port. */
export type SideListener = Pick<Listener, "drain" | "close">;

/**
 * A listener with one path, for a kubelet or an autoscaler; every other path is Go's 404. It is the engine's own:
 * `node:http` costs a start 3 ms and 1 MB. Rejects when the address is taken.
 */
export function startSideListener(
  { clock }: { readonly clock: Clock },
  at: { readonly ip: string; readonly port: number },
  served: { readonly path: string; readonly answer: (exchange: Exchange<undefined>) => void },
): Promise<SideListener> {
  const handler = (exchange: Exchange<undefined>): void => {
    if (exchange.request.target.split("?", 1)[0] === served.path) served.answer(exchange);
    else exchange.respond(pathNotFound);
  };
  return HttpServer.start({ clock, handler, context: () => undefined }, at);
}
